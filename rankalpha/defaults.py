"""What all DAGs share: owner, retries, backoff and alerts.

Only failed attempts of a task count, not those that died with a part of Airflow. Airflow counts starts: a
task whose worker was killed is started again, and has an attempt less for failures of its own. So tasks have
`DEATHS` attempts more than RANKALPHA_RETRIES grants. Their failures are counted here, in the store that
Airflow keeps for a task across its attempts.
"""

from typing import Any

from airflow.sdk import Context, Param, RetryDecision, RetryPolicy

from rankalpha.alerts.notifier import AlertNotifier
from rankalpha.logs import bind_batch_of_run, log_refusals_plainly
from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.runners.failures import StageLeft
from rankalpha.settings import settings
from rankalpha.stages.output import PUBLISH, REUSE

OWNER = "rankalpha"
# the form of Airflow has a field for the key, and says nothing of it; this is shown below the first param
PARTITION_KEY = (
    "The partition key, below in Advanced Options, is the batch: a UTC time such as 2026-11-22T06:00:00. "
    "Without one, ingestion starts a new batch, and each other stage takes the newest batch."
)
DEATHS = 5  # attempts that may die; a task that kills its worker each time has to end


def params(*, reuse: bool = False) -> dict[str, Param]:
    """Return what a person can choose when triggering a stage by hand; `reuse` is for a stage that can."""
    title = "Publish the result, which starts what follows"
    found = {PUBLISH: Param(True, type="boolean", title=title, description=PARTITION_KEY)}
    if reuse:
        title = "Use an earlier version again when inputs, image and settings are the same"
        found[REUSE] = Param(True, type="boolean", title=title)
    return found


def default_args(market: Market = DEFAULT_MARKET, *, optional: bool = False) -> dict[str, Any]:
    """Return the default arguments of every task.

    The tasks of a challenger, and of an optional step, come after all others: no batch waits for them.
    """
    last = {"priority_weight": 0, "weight_rule": "absolute"} if market.challenges or optional else {}
    return {
        **last,
        "owner": OWNER,
        "retries": settings().retries + DEATHS,
        "retry_policy": CountedFailures(),
        "retry_delay": settings().retry_wait,
        "retry_exponential_backoff": 2.0,  # doubles; True would count as 1 and never grow
        "max_retry_delay": settings().max_retry_wait,
        "on_execute_callback": [bind_batch_of_run, log_refusals_plainly],
        "on_failure_callback": AlertNotifier(),  # after the last attempt only
    }


class CountedFailures(RetryPolicy):
    """Fail a task for good when it fails after RANKALPHA_RETRIES failures; clearing it resets the count."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Count a failure, and decide; if this raises, Airflow falls back on its own count."""
        if context is None or isinstance(exception, StageLeft):
            return RetryDecision.default()
        store, key = context["task_state_store"], f"failures of {max_tries}"  # which clearing raises
        failures = int(str(store.get(key, 0))) + 1
        store.set(key, failures)
        retries = settings().retries
        if failures > retries:
            return RetryDecision.fail(f"failed {failures} times; RANKALPHA_RETRIES={retries}")
        return RetryDecision.default()
