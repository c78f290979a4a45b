"""Publishes a batch in a dataset: the circuit breaker between a stage and everything downstream."""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from rankalpha.contract import Contract, Outcome
from rankalpha.contract.contract import failed
from rankalpha.contract.quarantine import PUBLISH_ANYWAY, QUARANTINE, forced, refusal
from rankalpha.contract.report import lines, sentence
from rankalpha.logs import bind_batch
from rankalpha.operators import given
from rankalpha.operators.on_disk import is_late, problem_if_late
from rankalpha.pipeline.batch import TRIAL, earlier, is_key
from rankalpha.pipeline.versions import VERSION, VERSIONS_KEY
from rankalpha.settings import settings
from rankalpha.stages.output import ORIGIN, PUBLISH, PUBLISHED, Output, pull_output
from rankalpha.texts import cut

QUOTED = 2_000  # characters of a result in the log
TRIAL_OF_A_RUN = "AIRFLOW_TEST_MODE"  # in its environment, also when it is given the id of a real run


class PublishOperator(BaseOperator):
    """Publish a batch in a dataset: check the result of the task before it, then emit the event.

    It runs only when the task before it has not published at once, see `rankalpha.operators.at_once`. A
    result that breaks the contract fails the task and publishes nothing: downstream keeps the last good data,
    and the result is kept as the XCom `quarantine`. A person may publish it, once and on record: see
    `rankalpha.contract.quarantine`.
    A run whose param `publish` is off publishes nothing either; its tasks after this one are skipped.
    """

    def __init__(self, *, dataset: Asset, contract: Contract, **kwargs: Any) -> None:
        super().__init__(outlets=[dataset], execution_timeout=timedelta(minutes=5), **kwargs)
        self.dataset = dataset
        self.contract = contract

    def execute(self, context: Context) -> None:
        """Check and publish; the event's `extra` is the result with what `_extra` adds."""
        ti = context["ti"]
        if _is_trial(ti):
            raise AirflowSkipException("a trial publishes nothing")
        (source,) = self.upstream_task_ids
        output = pull_output(ti, source)
        batch, result = self._batch(context, source, output), output["result"]
        before = earlier(given.figures(self.dataset.name), batch)
        checks = self._checked(batch, result, before)
        permission = None
        if broken := failed(checks, "block"):
            permission = self._permission(context, source, checks)
            if not permission:
                ti.xcom_push(key=QUARANTINE, value={**output, "checks": checks})
                raise self._refusal(batch, ". ".join(map(sentence, broken)))
        if not context["params"].get(PUBLISH, True):
            raise AirflowSkipException(
                f"batch {batch} passes its contract, but this run was started with publishing off"
            )
        if problem := problem_if_late(context, result, self.log):
            raise self._refusal(batch, problem)
        self.emit(context, _extra(output, checks, permission))
        version = (result or {}).get(VERSION)
        if not before and isinstance(version, dict):  # so old that the state store may not keep it
            ti.xcom_push(key=PUBLISHED, value=version.get("path"))
        self.log.info(
            "Published batch %s in %s: %s",
            batch,
            self.dataset.name,
            cut(str(result), QUOTED) if result else "no result reported",
        )

    def checked_at_once(self, context: Context, output: Output) -> dict[str, Any] | None:
        """Return the `extra` of the event for a result that was just made, checked by the task that made it.

        None when this task has to run: for a trial, a run that publishes nothing, what is late, and a result
        that breaks the contract or cannot be compared with an earlier batch.
        """
        batch, wanted = output["batch"], context.get("params", {}).get(PUBLISH, True)
        if not batch or not wanted or is_late(context) or _is_trial(context["ti"]):
            return None
        known = given.figures(self.dataset.name)
        if batch < min(filter(is_key, known), default=batch):  # older than all that the state store keeps
            return None
        before = earlier(known, batch)
        checks = self.contract.evaluate(batch, output["result"], before, settings().require_result)
        if failed(checks, "block"):
            return None
        self._log_checks(batch, checks)
        return _extra(output, checks, None)

    def emit(self, context: Context, extra: dict[str, Any]) -> None:
        """Have the success of the task in `context` emit the event."""
        event = context["outlet_events"][self.dataset]
        event.extra = extra
        event.add_partitions(extra["batch"])  # also for a run that was triggered without a partition key

    def _batch(self, context: Context, source: str, output: Output) -> str:
        """Return the batch of an output; raise when there is nothing to publish."""
        batch = output["batch"]
        if not batch:
            raise AirflowFailException(f"task {source} has no batch to publish yet; run it before this task")
        bind_batch(batch)
        if output["failed"] and context["asset_state_store"][self.dataset].get(VERSIONS_KEY, {}):
            # an event without a version would take the place of what is published
            raise self._refusal(
                batch,
                f"the stage of {source} has failed and made no version, although the task is marked as a "
                f"success; clear {source}",
            )
        return batch

    def _refusal(self, batch: str, why: str) -> AirflowFailException:
        return AirflowFailException(f"batch {batch} is not published in {self.dataset.name}: {why}")

    def _checked(self, batch: str, result: dict[str, Any] | None, before: dict[str, Any]) -> list[Outcome]:
        """Evaluate the contract, and log the outcome of each check."""
        checks = self.contract.evaluate(batch, result, before, settings().require_result)
        self._log_checks(batch, checks)
        return checks

    def _log_checks(self, batch: str, checks: list[Outcome]) -> None:
        self.log.info("Batch %s by the contract of %s:", batch, self.dataset.name)
        for level, line in lines(checks):
            self.log.log(level, line)

    def _permission(self, context: Context, source: str, checks: Sequence[Outcome]) -> dict[str, str] | None:
        """Return a person's permission to publish in this attempt although the checks block it."""
        given = context["ti"].xcom_pull(task_ids=source, key=PUBLISH_ANYWAY)
        permission = forced(given, context["ti"].try_number)
        if permission:
            names = ", ".join(check["name"] for check in failed(checks, "block"))
            self.log.warning(
                "Published anyway, despite %s, by %s: %s", names, permission["by"], permission["reason"]
            )
        elif given:
            problem = refusal(given, context["ti"].try_number)
            self.log.warning("The permission to publish anyway does not hold: %s", problem)
        return permission


def _is_trial(ti: Any) -> bool:
    """Return whether this is a trial; the scheduler would take its event for a real one."""
    return ti.run_id.startswith(TRIAL) or os.environ.get(TRIAL_OF_A_RUN) == "True"


def _extra(output: Output, checks: Sequence[Outcome], permission: dict[str, str] | None) -> dict[str, Any]:
    """Return the `extra` of an event: the result, with what is known beside it."""
    # no image can say by itself what its version was made by
    result = {key: value for key, value in (output["result"] or {}).items() if key not in ORIGIN}
    more: dict[str, Any] = {"container": output["container"], "forced": permission}
    more |= {key: output.get(key) for key in ORIGIN}
    return {
        **result,
        "batch": output["batch"],
        "checks": checks,
        **{key: value for key, value in more.items() if value},
    }
