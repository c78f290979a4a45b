"""Writes docs/reference from the code: settings, commands, API, datasets, DAGs, metrics and alerts."""
