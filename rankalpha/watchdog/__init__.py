"""The watchdog: where each batch stands, what is repaired by itself, and what a person has to be told."""

REPAIR = "/joins/repair"  # route of the API server, below the plugin's prefix
