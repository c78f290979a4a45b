"""The watchdog: where each batch stands, what is repaired by itself, and when a person is alerted."""


def watch_batches() -> None:
    """Do a round of `rankalpha.watchdog.watch`, the task of `rankalpha_watchdog`."""
    from rankalpha.watchdog.watch import watch  # noqa: PLC0415  slow to load, and not for parsing

    watch()
