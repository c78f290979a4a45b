"""Reports each graded batch by the channels of alerts, for those who want that."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rankalpha.alerts.alert import alert
from rankalpha.alerts.incident import Incident, Urgency, market_of
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.reuse import CARRIED_FROM
from rankalpha.pipeline.sessions import carried_over, market_day
from rankalpha.pipeline.steps import SHAPE
from rankalpha.settings import settings
from rankalpha.stages.output import pull_output


def report_graded(context: Any) -> None:
    """Report the grades of a batch, if RANKALPHA_TELL_GRADED is on; an `on_success_callback`."""
    if not settings().tell_graded:
        return
    ti = context["ti"]
    (source,) = context["task"].upstream_task_ids
    output = pull_output(ti, source)
    batch, result = str(output["batch"]), output["result"]
    market = Market(name=market_of(ti.dag_id))
    figures = _figures(result) if result else "The API reported no figures."
    text = "\n".join([f"Batch: {batch}", figures, *_session(market, batch, output)])
    key, subject = f"graded {market.key}{batch}", f"batch {market.named(batch)} is graded"
    alert(Incident(key, subject, text, Urgency.NO_ACTION, market=market.name), notice=True)


def _session(market: Market, batch: str, output: Mapping[str, Any]) -> Iterator[str]:
    """Yield which session the grades are of, and from which batch they were carried over."""
    day = market_day(market.dataset_name(SHAPE[0].writes), batch)
    if day:
        yield f"Session: {day.text(datetime.now(UTC))}"
    if news := carried_over(output.get(CARRIED_FROM), day):
        yield f"News: {news}"


def _figures(result: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {grade}" for grade, count in sorted(result.get("details", {}).items()))
    return f"Grades: {counts or 'not reported'}\nStocks: {result['symbols']}, prices as of {result['as_of']}"
