"""What keeps a backup or a restore from being done."""


class BackupError(Exception):
    """Nothing was written or replaced; the message says why, and what to do."""
