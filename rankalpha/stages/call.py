"""A call to a service. It is declared once, and `rankalpha.operators.service` makes it."""

from dataclasses import dataclass, replace
from typing import Self

from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.settings import settings
from rankalpha.stages.profile import Profile


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that a service offers. Each part is a setting of env/<profile>/api.env or a Variable.

    With `name` GRADING: GRADING_METHOD, GRADING_PATH and GRADING_TIMEOUT (seconds); `url_key` names the
    setting of the base URL, `settings().<url_default>` its default.
    """

    name: str
    url_key: str
    url_default: str
    path: str
    market: Market = DEFAULT_MARKET

    def of(self, market: Market) -> Self:
        """Return the call of a market."""
        return replace(self, market=market)

    def about(self, batch: str) -> dict[str, str]:
        """Return what the call says about a batch; the default market is not mentioned."""
        return {"batch": batch, **({"market": self.market.name} if self.market.folder else {})}

    @property
    def defaults(self) -> dict[str, str]:
        """The call's settings without a Variable or a line of the env file."""
        return {
            self.url_key: getattr(settings(), self.url_default),
            f"{self.name}_METHOD": "POST",
            f"{self.name}_PATH": self.path,
            f"{self.name}_TIMEOUT": "60",
        }

    def profile(self) -> Profile:
        """Look up the call's settings."""
        return Profile.load("api", self.defaults, self.market.profile)
