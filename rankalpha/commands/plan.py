"""Shows what another image, setting or weight would change in the grades of past batches."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from rankalpha.airflow_api import AirflowApi, admin_api
from rankalpha.commands.compare import challenger_of, show
from rankalpha.commands.past import Past
from rankalpha.commands.planner import Planner
from rankalpha.commands.preview import Previews
from rankalpha.commands.refusals import Refused
from rankalpha.health.comparison import containers, cost, summary
from rankalpha.lineage.service import ServiceError, service_profile
from rankalpha.pipeline.challenger import Challenger
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.pipeline.steps import GRADING
from rankalpha.pipeline.variant import Variant
from rankalpha.stages.grading import GRADING_REFRESH
from rankalpha.texts import count

Pairs = Sequence[tuple[str, str]]
Row = Mapping[str, Any]
NAME = "plan"  # of the variant that is declared nowhere
NOT_OFFERED = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
WORDS = {  # what a batch's row may say beside the comparison
    "champion_only_symbols": "would no longer grade",
    "challenger_only_symbols": "would also grade",
    "blocked": "would be blocked in",
    "failed": "fails:",
    "left_out": "is left out:",
}
FAILED, BLOCKED, INTERRUPTED = 1, 3, 130  # exit statuses


def plan(
    variant: str | None,
    images: Pairs,
    stage_settings: Pairs,
    weight: float | None,
    batches: int,
    market: str | None,
    as_json: bool,
) -> int:
    """Print what would change in the newest batches; return the exit status. Raises a refusal."""
    api = admin_api()
    challenger = (
        challenger_of(variant, market) if variant else _undeclared(images, stage_settings, weight, market)
    )
    try:
        found = planned(api, challenger, batches)
    except ServiceError as error:
        raise Refused(_explained(error)) from error
    except KeyboardInterrupt:
        print("\nStopped. Nothing was published.", file=sys.stderr)
        return INTERRUPTED
    print(json.dumps(found, indent=2)) if as_json else _show(found)
    counts = found["summary"]
    return BLOCKED if counts["blocked"] else FAILED if counts["failed"] else 0


def planned(api: AirflowApi, challenger: Challenger, most: int) -> dict[str, Any]:
    """Return what `rankalpha.health.comparison` does, of the newest batches that are graded.

    `summary` also says how many are `blocked`, `failed` and `left_out`; their batches say why.
    """
    profile = service_profile(api, pipeline(challenger.name))
    GRADING_REFRESH.of(challenger).takes_part(profile)
    url = profile.line("API_URL").rstrip("/")
    past = Past(api, challenger.champion, url)
    keys = list(past.published(GRADING.writes))[:most]
    if not keys:
        raise Refused(f"no batch is published in {challenger.champion.dataset_name(GRADING.writes)} yet")
    planner = Planner(api, challenger, past, Previews(url, challenger.folder))
    rows = list(_rows(planner, keys))
    if all("left_out" in row for row in rows):
        raise Refused(f"no batch can be planned: {rows[0]['batch']}: {rows[0]['left_out']}")
    kinds = {kind: sum(kind in row for row in rows) for kind in ("blocked", "failed", "left_out")}
    return {
        "market": challenger.name,
        "variant": challenger.variant,
        "summary": {**summary([row for row in rows if "changed" in row]), **kinds},
        "batches": rows,
        "stages": list(_costs(api, challenger, planner, keys)),
    }


def _undeclared(images: Pairs, stage_settings: Pairs, weight: float | None, market: str | None) -> Challenger:
    """Return the challenger of a variant that no file declares; Refused for a mistake in it."""
    by_stage: dict[str, dict[str, str]] = {}
    for stage, setting in stage_settings:
        key, _, value = setting.partition("=")
        by_stage.setdefault(stage, {})[key] = value
    try:
        declared = Variant(images=dict(images), settings=by_stage, sentiment_weight=weight)
    except ValidationError as error:
        raise Refused(_problems(error)) from error
    champion = pipeline(market).market
    return Challenger.of(champion.model_copy(update={"variants": {NAME: declared}}), NAME)


def _problems(error: ValidationError) -> str:
    """Return what is wrong with a variant, in one line."""
    found = [(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
    return "; ".join(f"{key and f'{key} '}{text.removeprefix('Value error, ')}" for key, text in found)


def _rows(planner: Planner, keys: Sequence[str]) -> Iterator[Row]:
    """Plan the batches, newest first, and show on stderr how far it is."""
    begun = time.monotonic()
    for number, key in enumerate(keys, start=1):
        started = time.monotonic()
        row = planner.row(key)
        now = time.monotonic()
        left = (now - begun) / number * (len(keys) - number)
        times = f"after {now - started:.1f} s; {left:.0f} s left"
        print(f"{number} of {len(keys)}  {key}  {_in_short(row)}, {times}", file=sys.stderr, flush=True)
        yield row


def _in_short(row: Row) -> str:
    why = next((kind for kind in ("left_out", "failed", "blocked") if kind in row), None)
    return why.replace("_", " ") if why else f"{count(row['changed'], 'letter')} would change"


def _costs(
    api: AirflowApi, challenger: Challenger, planner: Planner, keys: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield the medians of what the containers of both have used, by stage."""
    for step in challenger.declared.steps:
        if step.stage:
            champion = containers(api, challenger.champion.dataset_name(step.writes), keys)
            yield cost(step.stage, "champion", champion)
            yield cost(step.stage, "challenger", planner.used[step.stage])


def _show(found: Mapping[str, Any]) -> None:
    """Print what would change, what would no longer be graded, and why."""
    if found["summary"]["batches"]:
        show(found, "What would change, newest batch first")
    for row in found["batches"]:
        for kind, what in WORDS.items():
            if row.get(kind):
                print(f"{row['batch']} {what} {row[kind]}")


def _explained(error: ServiceError) -> str:
    if error.status not in NOT_OFFERED:
        return str(error)
    return (
        f"the API does not offer what a plan needs ({error}); with a grading service of your own that takes "
        "part in versions, declare a variant, and compare it on new batches"
    )
