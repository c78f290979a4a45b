"""What keeps a stack from growing for ever: the tasks of `rankalpha_maintenance`, a module each."""

from rankalpha.maintenance.logs import prune_logs
from rankalpha.maintenance.metadata import prune_metadata

__all__ = ["prune_logs", "prune_metadata"]
