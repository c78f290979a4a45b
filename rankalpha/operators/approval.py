"""The tasks by which a person makes a published model the champion, or does not."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from rankalpha import remedy
from rankalpha.logs import bind_batch
from rankalpha.operators.given import published_version
from rankalpha.pipeline.champion import CHAMPION, with_champion
from rankalpha.pipeline.versions import VERSION, Version
from rankalpha.stages.output import OUTPUT, pull_output

MODEL, PUBLISHED = "run_trainer", "publish_models"  # tasks of the same DAG
FIGURES = {
    "ic": "mean rank IC on unseen days",
    "t": "the same in standard errors",
    "formula_ic": "the formula's, on the same days",
    "champion_ic": "the champion's, on the days that neither was fitted to",
    "lead": "by how much the model's is above that, on the same days",
    "shuffled_ic": "on shuffled days",
    "horizon": "horizon, sessions",
    "folds": "folds",
}


class ApproveModelOperator(ApprovalOperator):
    """Ask a person whether the model of this run becomes the champion; who does not answer in time, rejects.

    Airflow keeps the question, the answer, who gave it and when. A rejection skips what follows.
    """

    def __init__(self, *, dataset: Asset, days: int, **kwargs: Any) -> None:
        super().__init__(
            subject="Should this model become the champion?",  # with its batch once that is known
            defaults=self.REJECT,
            response_timeout=timedelta(days=days),
            execution_timeout=timedelta(minutes=5),  # of asking, not of the answer
            inlets=[dataset],
            **kwargs,
        )
        self.dataset = dataset

    def execute(self, context: Context) -> None:
        """Put the question, with the figures of the card and the outcome of the contract."""
        batch, result = _model(context)
        bind_batch(batch)
        version = _published(self.dataset.name, batch, result)
        champions: Any = context["asset_state_store"][self.dataset].get(CHAMPION, []) or []
        self.subject = f"Should the model of batch {batch} become the champion?"
        self.body = "\n".join(_body(result, version, champions[-1] if champions else None))
        super().execute(context)


class NameChampionOperator(BaseOperator):
    """Make the model of this run the champion of the batches that are due from now on, on record."""

    def __init__(self, *, dataset: Asset, approved_by: str, **kwargs: Any) -> None:
        super().__init__(
            inlets=[dataset],
            execution_timeout=timedelta(minutes=5),
            do_xcom_push=False,
            **kwargs,
        )
        self.dataset = dataset
        self.approved_by = approved_by

    def execute(self, context: Context) -> None:
        """Add it to the history of champions in the state store of the models."""
        batch, result = _model(context)
        bind_batch(batch)
        version = _published(self.dataset.name, batch, result)
        answer: Any = context["ti"].xcom_pull(task_ids=self.approved_by, key=OUTPUT) or {}
        person: Mapping[str, Any] = answer.get("responded_by_user") or {}
        if ApproveModelOperator.APPROVE not in (answer.get("chosen_options") or ()):
            raise AirflowFailException(
                f"nobody has approved the model of batch {batch}; clear {self.approved_by} to be asked again"
            )
        store: Any = context["asset_state_store"][self.dataset]
        by = str(person.get("name") or person.get("id") or "unknown")
        store.set(
            CHAMPION, with_champion(store.get(CHAMPION, []) or [], version, batch, datetime.now(UTC), by)
        )
        self.log.info("The model of batch %s is the champion: %s, approved by %s", batch, version.path, by)


def _model(context: Context) -> tuple[str, Mapping[str, Any]]:
    """Return the batch of the model of this run, and what was reported of it."""
    output = pull_output(context["ti"], MODEL)
    if not output["batch"] or not output["result"]:
        raise AirflowFailException(f"{MODEL} has no model yet; run it before this task")
    return output["batch"], output["result"]


def _published(dataset: str, batch: str, result: Mapping[str, Any]) -> Version:
    """Return the version of the model of this run; raise unless it is the published one of its batch."""
    version = Version.of(result.get(VERSION), f"the result of {MODEL} for batch {batch}")
    if version is None or published_version(dataset, batch) != version:
        raise AirflowFailException(
            f"the model of this run is not the one that is published for batch {batch} in {dataset}; clear "
            f"{PUBLISHED}, or answer in the newest run of this batch"
        )
    return version


def _body(result: Mapping[str, Any], version: Version, champion: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the lines of what a person has to know, in Markdown."""
    details = result.get("details") or {}
    until, symbols, rows = (result.get(name) for name in ("as_of", "symbols", "rows"))
    yield f"Trained on prices until {until}: {symbols} symbols, {rows} rows."
    yield from ("", "| figure | value |", "|---|---|")
    yield from (
        f"| {text} | {_number(details.get(name))} |" for name, text in FIGURES.items() if name in details
    )
    yield ""
    now = (
        f"the model of batch {champion['batch']}, approved by {champion['by']}" if champion else "the formula"
    )
    yield f"Champion now: {now}. The card is `{version.path}/card.json`."
    compare = remedy.command("compare", "--variant", "NAME")
    yield f"Have you tried it as a challenger? `{compare}` shows how its grades differ from the champion's."
    yield "From its approval on, batches whose scorer has `SCORER_MODEL=champion` are scored by it."


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
