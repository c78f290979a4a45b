"""Shows how well the grades have foretold returns: the record that RankAlpha's API shows."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rankalpha.airflow_api import admin_api
from rankalpha.commands.batches import check_key
from rankalpha.commands.refusals import Refused
from rankalpha.lineage.service import ServiceError, ask, service_profile
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.texts import count

PATH = "/api/v1/grading/record"
TITLES = {
    "live": "Live: the grades as they were published",
    "backtest": "Backtest: the method of today on the past",
}
RETURNS_TITLE = "Mean return by letter, in %"
NOT_YET = "No returns are in yet: a grading counts once its first session has passed."
UNKNOWN = "-"
Column = Callable[[Mapping[str, Any]], str]  # the text of a cell, from the measures of a figure and a horizon


def evaluate(key: str | None, market: str | None, as_json: bool) -> int:
    """Print the record of a market, as of a batch or the newest; return the exit status."""
    of_market = pipeline(market)
    if key is not None:
        check_key(key)
    url = service_profile(admin_api(), of_market).line("API_URL").rstrip("/") + PATH
    params = {"batch": key, "market": of_market.market.folder}
    try:
        record = ask("GET", url, params={name: value for name, value in params.items() if value})
    except ServiceError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise Refused(
                f"{f'batch {key}' if key else 'no batch'} has {'no' if key else 'an'} evaluation yet; see "
                f"{of_market.market.dag_id('evaluation')} in Airflow"
            ) from error
        raise Refused(str(error)) from error
    if as_json:
        print(json.dumps(record, indent=2))
    else:
        show(record)
    return 0


def show(record: Mapping[str, Any]) -> None:
    """Print the two records, each with what it cannot know."""
    console = Console()
    console.print(f"Evaluation of batch {record['batch']}, prices as of {record['as_of']}")
    for kind, title in TITLES.items():
        part = record[kind]
        console.print()
        if _known(part):
            console.print(_table(title, MEASURES, part), "", _table(RETURNS_TITLE, RETURNS, part))
        else:
            console.print(f"{title}\n{NOT_YET}")
        span = f", {part['first']} to {part['last']}" if part["first"] else ""
        console.print(f"{count(part['gradings'], 'grading')}{span}", highlight=False)
        for limit in part["limits"]:
            console.print(f"- {limit}", highlight=False)


def _known(part: Mapping[str, Any]) -> bool:
    return any(of["sessions"] for figures in part["figures"].values() for of in figures.values())


def _table(title: str, columns: Mapping[str, Column], part: Mapping[str, Any]) -> Table:
    heads = ("figure", "sessions", *columns)
    table = Table(*heads, title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)
    for column in table.columns[1:]:
        column.justify = "right"
    for figure, horizons in part["figures"].items():
        for horizon, measures in horizons.items():
            first = figure if horizon == next(iter(horizons)) else ""
            table.add_row(first, horizon, *(cell(measures) for cell in columns.values()))
    return table


def _signed(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:+.{digits}f}"


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:.0f} %"


def _signed_percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:+.2f}"


def _band(measures: Mapping[str, Any]) -> str:
    return UNKNOWN if measures["low"] is None else f"{measures['low']:+.3f} {measures['high']:+.3f}"


def _of_letter(letter: str) -> Column:
    return lambda measures: _signed_percent(measures["returns"][letter])


MEASURES: dict[str, Column] = {
    "rank IC": lambda measures: _signed(measures["ic"], 3),
    "t": lambda measures: _signed(measures["t"], 1),
    "95 % band": _band,
    "hits": lambda measures: _percent(measures["hit_rate"]),
    "later": lambda measures: _signed(measures["later_ic"], 3),
    "turnover": lambda measures: _percent(measures["turnover"]),
    "n": lambda measures: str(measures["sessions"]),
}
RETURNS: dict[str, Column] = {
    **{letter: _of_letter(letter) for letter in "ABCDF"},
    "A - F": lambda measures: _signed_percent(measures["spread"]),
    "coverage": lambda measures: _percent(measures["coverage"]),
}
