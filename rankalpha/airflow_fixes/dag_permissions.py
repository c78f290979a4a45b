"""Has FAB compare the permissions of a DAG once in ten minutes, and when its `access_control` changes.

Airflow (3.3.2, 3.4.0b2) does it for each DAG at each reading of its file. With many
markets that is half of what the DAG processor takes.
"""

import functools
import sys
import time
from typing import Any

from rankalpha.airflow_fixes.fix import Fix, part

MODULE, NAME = "airflow.dag_processing.collection", "_sync_dag_perms"
AGAIN_SECONDS = 600.0  # until what somebody has removed meanwhile is there again, as after a restart


def apply() -> None:
    """Let a comparison be left out that was made shortly before."""
    replaced = part(MODULE, NAME)
    if hasattr(replaced, "__wrapped__"):
        return
    compared: dict[tuple[str, str], float] = {}  # when, by a DAG and its access control

    @functools.wraps(replaced)
    def sync_dag_perms(dag: Any, session: Any) -> None:
        key, now = (dag.dag_id, repr(dag.access_control)), time.monotonic()
        if now - compared.get(key, -AGAIN_SECONDS) >= AGAIN_SECONDS:
            replaced(dag, session=session)
            compared[key] = now

    setattr(sys.modules[MODULE], NAME, sync_dag_perms)


FIX = Fix(name="dag_permissions", versions="3.3.2, 3.4.0b2", apply=apply)
