"""What a new version, or a new list of markets, changes in env files and in Airflow's database."""

import logging
import re
from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

# Old names and new ones; a row may go once nobody upgrades from a version with the old name.
RENAMED = {
    "rankalpha.alerts.missed": "rankalpha.alerts.deadline.missed",
    "rankalpha.events.BatchAssetManager": "rankalpha.joins.asset_manager.BatchAssetManager",
    "rankalpha.executor.FailFastLocalExecutor": "rankalpha.airflow_fixes.executor.FailFastLocalExecutor",
    "rankalpha.openlineage": "rankalpha.lineage.openlineage",
    "rankalpha.trigger.StageTrigger": "rankalpha.containers.trigger.StageTrigger",
}


def old_names(env: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each variable whose value holds an old name."""
    for key in sorted(env):
        for old, new in RENAMED.items():
            if re.search(rf"(?<![\w.]){re.escape(old)}(?!\w)", env[key]):
                yield f"{key} holds {old}, which is now {new}"


def rename_in_database() -> None:
    """Rename what Airflow's database holds, so that deferred stages and queued deadlines go on.

    Safe to repeat. To be called while no triggerer runs.
    """
    from rankalpha.maintenance.stored_names import rename_stored  # noqa: PLC0415  loads Airflow

    if renamed := rename_stored(RENAMED):
        log.info("Rows of Airflow's database with a new name of our code: %d", renamed)


def remove_unused_pools() -> None:
    """Remove the pools of markets that are no longer in the file of the markets. Safe to repeat."""
    from rankalpha.maintenance.removed_markets import remove_pools  # noqa: PLC0415  loads Airflow

    remove_pools()
