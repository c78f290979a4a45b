"""A market: the pipeline exists once for each. `rankalpha.pipeline.markets` reads them from their file."""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from rankalpha.pipeline.market_values import Calendar, Image, MarketSettings, SessionLimit, Weight
from rankalpha.pipeline.promotion import Promotion
from rankalpha.pipeline.schedule import Scheduled
from rankalpha.pipeline.training import Training
from rankalpha.pipeline.variant import Variant
from rankalpha.settings import MOST_SLOTS

if TYPE_CHECKING:  # the Docker proxy has no Airflow
    from airflow.sdk import Asset

DEFAULT = "default"  # its ids, datasets and volumes have no market in their names
STAGE_POOL = "stages"  # of all markets without a pool of their own
DEFAULT_CALENDAR = "XNYS"  # of the default market, as the sample's stocks are American


class Market(Scheduled):
    """The settings of one market: `name` is the name of its table, the other fields are the table's keys.

    They override Airflow Variables and env files, because all markets may share those.
    """

    name: str = DEFAULT
    # code of its exchange, whose sessions its contracts count; empty: none, they count days
    calendar: Calendar = ""
    profile: Annotated[str, Field(min_length=1)] | None = None  # folder of env/; None: the stack's profile
    images: dict[str, Image] = Field(default_factory=dict)  # by stage
    settings: MarketSettings = Field(default_factory=dict)
    sentiment_weight: Weight | None = None  # of its grades; None: the API's own
    slots: Annotated[int, Field(gt=0, le=MOST_SLOTS)] | None = (
        None  # of a stage pool of its own; None: the common pool
    )
    # the watchdog's limits in sessions; None: the minutes of RANKALPHA_GRADED_WITHIN and _STARTED_WITHIN
    graded_within_sessions: SessionLimit = None
    started_within_sessions: SessionLimit = None
    variants: dict[str, Variant] = Field(default_factory=dict)  # its challengers, by name
    training: Training | None = None  # of models; None: it trains none
    promotions: list[Promotion] = Field(default_factory=list)  # of its variants, oldest first

    @model_validator(mode="before")
    @classmethod
    def _of_the_default_market(cls, table: Any) -> Any:
        return {"calendar": DEFAULT_CALENDAR, **table} if table.get("name", DEFAULT) == DEFAULT else table

    @property
    def prefix(self) -> str:
        """The prefix of its datasets' names, and of the steps in its DAGs' ids."""
        return f"{self.folder}_" if self.folder else ""

    @property
    def folder(self) -> str:
        """Its folder below the root of the data, and part of its datasets' URIs; empty for the default."""
        return "" if self.name == DEFAULT else self.name

    @property
    def key(self) -> str:
        """The prefix of the keys of its incidents; empty for the default market."""
        return f"{self.folder} " if self.folder else ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its DAGs, in addition to the tags of every market."""
        return (self.folder,) if self.folder else ()

    @property
    def challenges(self) -> bool:
        """Whether it is a challenger: what a variant of a market makes of it."""
        return False

    @property
    def pool(self) -> str:
        """The pool of its stages."""
        return f"{STAGE_POOL}_{self.name}" if self.slots else STAGE_POOL

    @property
    def counts_sessions(self) -> bool:
        """Whether the watchdog has a limit in sessions for it."""
        return bool(self.graded_within_sessions or self.started_within_sessions)

    def dag_id(self, step: str) -> str:
        """Return the id of its DAG of a step, such as `rankalpha_scoring`."""
        return f"rankalpha_{self.prefix}{step}"

    def volume(self, name: str) -> str:
        """Return the name of its own volume; `name` is the default market's."""
        return f"{name}_{self.folder}" if self.folder else name

    def named(self, batch: str) -> str:
        """Return a batch as messages name it; the default market goes without saying."""
        return f"{batch} of {self.name}" if self.folder else batch

    def dataset_name(self, name: str) -> str:
        """Return the name of its own dataset; `name` is the default market's."""
        return f"{self.prefix}{name}"

    def plain(self, dataset: str) -> str:
        """Return the default market's name of one of its datasets."""
        return dataset.removeprefix(self.prefix)

    def alike(self, name: str) -> tuple[str, ...]:
        """Return its dataset and those of its challengers; `name` is the default market's."""
        own = (variant for variant, declared in self.variants.items() if name in declared.writes)
        return (f"{self.prefix}{name}", *(f"{self.prefix}{variant}_{name}" for variant in own))

    def settings_of(self, stage: str) -> Mapping[str, str]:
        """Return the settings of a stage that win over Variables and env files."""
        return self.settings.get(stage, {})

    def dataset(self, asset: "Asset") -> "Asset":
        """Return its own dataset; `asset` is the default market's, and has the same contract."""
        return dataset_of(self.prefix, self.folder, asset) if self.folder else asset

    def documented(self, text: str) -> str:
        """Return the documentation of its DAG; `text` is the default market's."""
        if not self.folder:
            return text
        title, rest = text.strip().split("\n", 1)
        note = f"**Market `{self.name}`**, {self.when}. The names and times below are the default market's."
        return f"{title}\n\n{note}\n{rest}"


DEFAULT_MARKET = Market()


@lru_cache(maxsize=1000)
def dataset_of(prefix: str, folder: str, asset: "Asset") -> "Asset":
    """Return the dataset like `asset`, under a name and a place of its own."""
    from airflow.sdk import Asset  # noqa: PLC0415

    place = asset.uri.replace("://", f"://{folder}/", 1).removesuffix("/")
    return Asset(name=f"{prefix}{asset.name}", uri=place, group=asset.group, extra=asset.extra)
