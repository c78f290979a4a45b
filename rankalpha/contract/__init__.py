"""The contract of a dataset: what must be true of a stage's result before it is published.

`figures` reads numbers from a result, a `Check` holds one of them to its bounds, and a `Contract` says who
answers for a dataset and which checks its batches must pass.
"""

from rankalpha.contract.checks import Check, Facts, Outcome, Severity
from rankalpha.contract.contract import Contract

__all__ = ["Check", "Contract", "Facts", "Outcome", "Severity"]
