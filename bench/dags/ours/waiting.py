"""Airflow DAGs of the benchmark `overhead` whose stages hold their workers."""

import os
from typing import Any

from bench.four_dags import four
from rankalpha.operators import StageOperator
from rankalpha.settings import settings


class WaitingOperator(StageOperator):
    """Waits for its stage in a worker, however long that is."""

    def execute(self, context: Any) -> None:
        """See StageOperator."""
        os.environ["RANKALPHA_DEFER"] = "false"
        settings.cache_clear()
        super().execute(context)


four("waiting", WaitingOperator)
