"""Makes a variant's way the champion's in the file of the markets, and back; both stay on record there."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rankalpha import remedy
from rankalpha.airflow_api import AirflowApi, admin_api
from rankalpha.commands.compare import challenger_of
from rankalpha.commands.refusals import Refused
from rankalpha.contract.quarantine import permission_problem
from rankalpha.lineage.inputs import version_of
from rankalpha.pipeline.challenger import Challenger
from rankalpha.pipeline.markets_file import rewrite
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.pipeline.promotion import PromotionError, Table, changes, promoted, undone, way_of
from rankalpha.pipeline.steps import COMPARISON, Shape
from rankalpha.settings import AdminSettings, settings
from rankalpha.stages import STAGES

SECRETS = {key for stage in STAGES for key in stage.secrets}


def promote(variant: str, reason: str, market: str | None) -> int:
    """Promote a variant in the name of the admin user; return the exit status. Raises a refusal."""
    record = _record(reason)
    api, challenger = admin_api(), challenger_of(variant, market)
    compared = challenger.dataset_name(COMPARISON.writes)
    if next(_newest(api, compared), None) is None:
        raise Refused(
            f"no batch of variant {variant} is compared yet; see {challenger.dag_id(COMPARISON.name)} in "
            "Airflow"
        )
    steps = [step for step in challenger.declared.steps if step.stage in challenger.declared.images]
    images = {step.stage: _image(api, challenger, step) for step in steps}
    before = _table(challenger.name)
    after = promoted(before, variant, images, record)
    rewrite(settings().markets, challenger.name, after)
    print(f"Promoted variant {variant} of market {challenger.name} in {settings().markets}:")
    _show(before, after)
    print(f"It takes effect at the next start: `{remedy.redeploy()}`. The way back is --undo.")
    return 0


def undo(reason: str, market: str | None) -> int:
    """Undo the newest promotion of a market; return the exit status. Raises a refusal."""
    record, name = _record(reason), pipeline(market).market.name
    before = _table(name)
    try:
        after = undone(before, record)
    except PromotionError as error:
        raise Refused(f"{settings().markets}: [{name}] {error}") from error
    rewrite(settings().markets, name, after)
    variant = after["promotions"][-1]["undoes"]
    print(f"Undid the promotion of variant {variant} of market {name} in {settings().markets}:")
    _show(before, after)
    print(f"The variant is there again. It takes effect at the next start: `{remedy.redeploy()}`.")
    return 0


def _record(reason: str) -> Table:
    by = AdminSettings.load().user
    if problem := permission_problem(by, reason):
        raise Refused(problem)
    return {"at": datetime.now(UTC).replace(microsecond=0), "by": by, "reason": reason.strip()}


def _table(market: str) -> Table:
    """Return a market's table as the file has it; without a file or a table it is empty."""
    file = settings().markets
    tables = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    table: Table = tables.get(market, {})
    return table


def _image(api: AirflowApi, challenger: Challenger, step: Shape) -> str:
    """Return the image that made a challenger's newest version, by its digest; where none ran, its name."""
    dataset, dag = challenger.dataset_name(step.writes), challenger.dag_id(step.name)
    container = _made_by(api, dataset)
    if container is None:
        raise Refused(
            f"it is not known which image made the newest version of {dataset}; trigger {dag} with reuse "
            "switched off"
        )
    image, declared = container["image"], challenger.images[step.stage]
    if image != declared:
        raise Refused(
            f"{image} made the newest version of {dataset}, and not {declared}, as the file of the markets "
            f"says; wait until {dag} has published a batch"
        )
    return str(container["pinned"] or image)


def _made_by(api: AirflowApi, dataset: str) -> Mapping[str, Any] | None:
    """Return the container that made the newest version of a dataset; None when it is not known.

    A version that was used again was made by the container of an older event with the same version.
    """
    newest = None
    for event in _newest(api, dataset):
        extra = event["extra"] or {}
        path = (version_of(extra) or {}).get("path")
        newest = newest or path
        container = extra.get("container")
        if path == newest and isinstance(container, Mapping) and {"image", "pinned"} <= container.keys():
            return container
    return None


def _newest(api: AirflowApi, dataset: str) -> Iterator[Mapping[str, Any]]:
    """Yield the events of a dataset, newest first."""
    for event in api.every(
        "assets/events", "asset_events", name_prefix_pattern=dataset, order_by="-timestamp"
    ):
        if event["name"] == dataset:
            yield event


def _show(before: Table, after: Table) -> None:
    """Print each key that has another value now."""
    for key, *values in changes(way_of(before), way_of(after)):
        secret = key.rpartition(".")[2] in SECRETS
        old, new = ("not set" if value is None else "***" if secret else value for value in values)
        print(f"  {key}: {old} → {new}")
