"""Options that several commands have."""

import click

KEY = "2026-11-22T06:00:00"  # in examples
market_option = click.option("--market", metavar="NAME", help="A market; the default one if left out.")
