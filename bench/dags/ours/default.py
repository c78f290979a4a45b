"""Airflow DAGs of the benchmark `overhead` whose stages are deferred after a while, which is the default."""

from bench.four_dags import four
from rankalpha.operators import StageOperator

four("ours", StageOperator)
