"""Keeps a stack from growing for ever: the tasks of `rankalpha_maintenance`, and what a start cleans up."""

from rankalpha.maintenance.logs import prune_logs
from rankalpha.maintenance.metadata import prune_metadata

__all__ = ["prune_logs", "prune_metadata"]
