"""Scorer: momentum, value and quality of each symbol as percentiles among all symbols of a batch."""
