"""Shows a year of the markets' exchanges, and which of their batches have nothing new.

The calendars are a library of the services, which is not in Airflow's image. A program of theirs is given
the batches, see apps/ingestion/year.py: here, or in their image.
"""

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

from croniter import croniter

from rankalpha.commands.refusals import Refused
from rankalpha.commands.run import REFUSED
from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.markets import markets
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.remedy import COMPOSE
from rankalpha.settings import settings

PROGRAM = "apps/ingestion/year.py"
FIRST, AHEAD = 1991, 10  # years: exchanges are known from 1990 on
WRONG = 1  # exit status


def calendar(year: int | None, market: str | None, check: bool, plan: bool) -> int:
    """Show the year of a market, or of all that have a calendar, or check it; return the exit status."""
    present = datetime.now(UTC).year
    year = present if year is None else year
    if not FIRST <= year <= present + AHEAD:
        raise Refused(f"--year {year} is not known; expected {FIRST} to {present + AHEAD}")
    text = json.dumps([_plan(each, year, check) for each in _chosen(market)])
    if plan:
        print(text)
        return 0
    if find_spec("exchange_calendars") is None:
        arguments = ["--year", str(year), *(["--market", market] if market else []), *["--check"] * check]
        line = f"{COMPOSE} exec -T airflow-scheduler rankalpha calendar {shlex.join(arguments)} --plan"
        there = f"{COMPOSE} run --rm -T --no-deps api python {PROGRAM}"
        raise Refused(f"the calendars are in the services' image; ask it: `{line} | {there}`")
    code = settings().app_dir.absolute()
    env = {**os.environ, "PYTHONPATH": str(code)}
    done = subprocess.run([sys.executable, code / PROGRAM], input=text, text=True, env=env, check=False)
    return done.returncode if done.returncode in (0, WRONG) else REFUSED


def _chosen(name: str | None) -> list[Market]:
    """Return the market of a name, or all that have a calendar; Refused when none has one."""
    chosen = [pipeline(name).market] if name else list(markets())
    if listed := [market for market in chosen if market.calendar]:
        return listed
    who = f"market {name} has" if name else "no market has"
    file = settings().markets
    raise Refused(f'{who} {"no" if name else "a"} calendar; name its exchange in {file}: calendar = "XNYS"')


def _plan(market: Market, year: int, check: bool) -> dict[str, Any]:
    """Return what the program reads of a market: also the last batch before the year."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    batches = [market.due(start)]
    due = croniter(market.schedule, start - timedelta(seconds=1))
    while (moment := due.get_next(datetime)).year == year:
        batches.append(moment)
    return {
        "market": market.name,
        "calendar": market.calendar,
        "when": market.when,
        "year": year,
        "check": check,
        "batches": [key_of(batch) for batch in batches],
    }
