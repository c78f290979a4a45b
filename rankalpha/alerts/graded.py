"""Tells by the channels of alerts that a batch was graded, for those who want to hear it each day."""

from typing import Any

from rankalpha.alerts.alert import tell
from rankalpha.alerts.incident import Incident, Urgency, market_of
from rankalpha.pipeline.market import Market
from rankalpha.settings import settings
from rankalpha.stages.output import pull_output


def tell_graded(context: Any) -> None:
    """Tell the grades of a batch, if RANKALPHA_TELL_GRADED is on; an `on_success_callback`."""
    if not settings().tell_graded:
        return
    ti = context["ti"]
    (source,) = context["task"].upstream_task_ids
    output = pull_output(ti, source)
    batch, result = str(output["batch"]), output["result"]
    text = f"Batch: {batch}\n{_figures(result) if result else 'The API has told no figures.'}"
    market = Market(name=market_of(ti.dag_id))
    key, subject = f"graded {market.key}{batch}", f"batch {market.named(batch)} is graded"
    tell(Incident(key, subject, text, Urgency.NO_ACTION, market=market.name), notice=True)


def _figures(result: dict[str, Any]) -> str:
    grades = ", ".join(f"{number} {grade}" for grade, number in sorted(result.get("details", {}).items()))
    return f"Grades: {grades or 'not told'}\nStocks: {result['symbols']}, prices as of {result['as_of']}"
