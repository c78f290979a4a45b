"""Frontend: the ranking page, kept current by server-sent events."""
