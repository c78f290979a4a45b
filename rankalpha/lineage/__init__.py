"""What came of what: the graph of DAGs and datasets, and what one batch was made of."""

from rankalpha.lineage.batch import batch_lineage

__all__ = ["batch_lineage"]
