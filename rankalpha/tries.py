"""Which tries of a task count: those that have failed, not those that have died with a part of Airflow.

Airflow counts starts. A task whose worker was killed, or whose whole Airflow was, is started again, and has
one try less for failures of its own. So tasks have `DEATHS` tries more than RANKALPHA_RETRIES grants, and
their failures are counted here, in the store that Airflow keeps for a task across its tries.
"""

from airflow.sdk import Context, RetryDecision, RetryPolicy

from rankalpha.runners.base import StageLeft
from rankalpha.settings import settings

DEATHS = 5  # tries that may die; a task that kills its worker each time has to end


class CountedFailures(RetryPolicy):
    """Fail a task for good at its first failure after RANKALPHA_RETRIES others; clearing it begins anew."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Count a failure, and decide; Airflow falls back on its own count when this cannot be done."""
        if context is None or isinstance(exception, StageLeft):
            return RetryDecision.default()
        store, key = context["task_state_store"], f"failures of {max_tries}"  # which clearing raises
        failures = int(str(store.get(key, 0))) + 1
        store.set(key, failures)
        retries = settings().retries
        if failures > retries:
            return RetryDecision.fail(f"failed {failures} times; RANKALPHA_RETRIES={retries}")
        return RetryDecision.default()
