"""Airflow DAGs of the benchmark `overhead` whose stages are deferred at once."""

import os
from typing import Any

from bench.four_dags import four
from rankalpha.operators import StageOperator
from rankalpha.settings import settings


class AtOnceOperator(StageOperator):
    """Never waits for its stage in a worker."""

    def execute(self, context: Any) -> None:
        """See StageOperator."""
        os.environ["RANKALPHA_DEFER_AFTER"] = "0"
        settings.cache_clear()
        super().execute(context)


four("at_once", AtOnceOperator)
