"""The operators of a stage DAG: run a stage, then publish its dataset."""

from rankalpha.operators.publish import PublishOperator
from rankalpha.operators.stage import StageOperator

__all__ = ["PublishOperator", "StageOperator"]
