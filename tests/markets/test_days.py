"""What `make up` runs, `rankalpha up`, on days that differ, by a clock of the stack's own.

The half day before Christmas has closed in New York half an hour ago, and Frankfurt has a holiday. Four days
later, on a Sunday, the stack starts again: since then New York has had one session, and Frankfurt none.
"""

import json
import shutil
from datetime import UTC, datetime

import pytest

from rankalpha.pipeline.pipelines import PIPELINE
from rankalpha.stages import STAGES
from tests.support.checkout import EACH_RUNS, ROOT
from tests.support.clock import set_clock, using
from tests.support.recording_stack import new_stack, write_markets

pytestmark = [pytest.mark.timeout(900), pytest.mark.story]
HALF_DAY, SUNDAY = datetime(2025, 12, 24, 18, 30, tzinfo=UTC), datetime(2025, 12, 28, 18, 30, tzinfo=UTC)
CHRISTMAS, MORNING = "2025-12-25T06:00:00", "2025-12-28T06:00:00"
NEW_YORK, FRANKFURT = "", "frankfurt_"  # prefixes of datasets
DAGS = [
    dag.replace("rankalpha_", f"rankalpha_{prefix}", 1)
    for prefix in (NEW_YORK, FRANKFURT)
    for dag in PIPELINE
]
MARKETS = {"default": {"calendar": "XNYS"}, "frankfurt": {"calendar": "XETR"}}


@pytest.fixture(scope="module")
def library(home):
    """The stack's clock; each test sets it while the stack is down."""
    folder = home / "days"
    folder.mkdir()
    return folder / "clock.so"


@pytest.fixture(scope="module")
def stack(home, shared, library):
    """The stack, down at first, with the reference services; its own, because its clock is."""
    folder = library.parent
    shutil.copytree(ROOT / "env" / "local", folder / "env" / "local")
    for stage in STAGES:  # a stage's process has nothing of the environment of its task
        with (folder / "env" / "local" / f"{stage.name}.env").open("a") as file:
            file.writelines(f"{key}={value}\n" for key, value in using(library).items())
    at_six = {"schedule": "0 6 * * *"}
    write_markets(folder / "markets.toml", {name: at_six | keys for name, keys in MARKETS.items()})
    own = new_stack(
        folder,
        shared,
        RANKALPHA_MARKETS=str(folder / "markets.toml"),
        RANKALPHA_STAGE_TIMEOUT="600",  # seconds; these stages do their work
        # by the times of files all DAG files have changed since they were read, as this clock is behind
        AIRFLOW__DAG_PROCESSOR__FILE_PARSING_SORT_MODE="alphabetical",
        **using(library),
        **{f"AIRFLOW_VAR_{key}": "true" for key in EACH_RUNS},
    )
    yield own
    own.end()


def up(stack, library, moment):
    """Start the stack at a moment, and follow its batches; return what is printed."""
    set_clock(library, moment)
    done = stack.stack("up")
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def half_day(stack, library):
    """What the first start prints."""
    return up(stack, library, HALF_DAY)


@pytest.fixture(scope="module")
def before(stack, half_day):
    """The bytes of what was published on the half day, by path."""
    stack.settle(DAGS)
    every = stack.api.every("assets/events", "asset_events")
    folders = {event["extra"]["version"]["path"] for event in every if "version" in (event["extra"] or {})}
    data = stack.state / "data"
    places = [place for path in folders for place in data.glob(f"**/{path}")]
    return {file: file.read_bytes() for place in places for file in place.iterdir()}


@pytest.fixture(scope="module")
def sunday(stack, library, before):
    """What the start on Sunday prints."""
    assert stack.stack("down").returncode == 0
    return up(stack, library, SUNDAY)


def events(stack, name):
    """What the events of a dataset say, oldest first, each with its batch."""
    found = stack.api.every("assets/events", "asset_events", order_by="timestamp")
    return [{**event["extra"], "batch": event["partition_key"]} for event in found if event["name"] == name]


def in_words(stack):
    """What a person reads of the session of each market's grades, and whether they were carried over."""
    stack.settle(DAGS)  # nothing waits for the evaluation, which may be the older one until it has ended
    shown = stack.command("health", "--json")
    assert shown.returncode == 0, shown.stdout
    sessions = [market["session"] for market in json.loads(shown.stdout)]
    return [(session["text"], session["news"]) for session in sessions]


def test_all_of_the_stack_has_the_clock(stack, half_day):
    day = f"{HALF_DAY:%Y-%m-%d}"
    assert stack.query("SELECT (now() AT TIME ZONE 'UTC')::date::text") == [day]
    beat = stack.api.get("monitor/health")["scheduler"]["latest_scheduler_heartbeat"]
    assert beat.startswith(day)
    run = stack.runs("rankalpha_ingestion")[-1]
    assert all(run[when].startswith(day) for when in ("queued_at", "start_date", "end_date"))


def test_in_the_hour_after_the_close_of_a_half_day_and_on_a_holiday(stack, half_day):
    for prefix, session in ((NEW_YORK, "2025-12-24"), (FRANKFURT, "2025-12-23")):
        prices = events(stack, f"{prefix}prices")[-1]
        assert prices["batch"].startswith("2025-12-24T18:3")
        assert (prices["as_of"], prices["details"]["session"]) == (session, session)
        assert events(stack, f"{prefix}grades")[-1]["batch"] == prices["batch"]
    assert in_words(stack) == [
        ("Wednesday's close, 24 Dec of the sample, current", ""),
        ("Tuesday's close, 23 Dec of the sample, current", ""),
    ]


def test_on_a_sunday_the_newest_batch_that_was_due_is_followed_and_none_is_added(stack, sunday):
    for market, name in (("", "rankalpha_ingestion"), (" of frankfurt", "rankalpha_frankfurt_ingestion")):
        assert f"Airflow has started batch {MORNING}{market}, which was due by the schedule.\n" in sunday
        assert f"Following batch {MORNING}{market}\n" in sunday
        assert f"Batch {MORNING}{market} is graded" in sunday
        runs = [(run["run_type"], run["partition_key"]) for run in stack.runs(name)]
        assert [kind for kind, _ in runs] == ["manual", "scheduled", "scheduled"]
        assert [key for _, key in runs[1:]] == [CHRISTMAS, MORNING]  # the first that was due, and the newest


def test_on_a_sunday_only_the_market_with_a_new_session_runs_its_stages(stack, half_day, sunday):
    stack.settle(DAGS)
    for dataset in ("scores", "sentiment", "evaluations"):
        assert "container" in events(stack, f"{NEW_YORK}{dataset}")[-1]
        first, *_, again = events(stack, f"{FRANKFURT}{dataset}")
        assert (again["batch"], again["reused_from"]) == (MORNING, first["batch"])
        assert "container" not in again
    carried = f"no new session; grades of Wed 24 Dec {first['batch'][11:16]} carried over"
    assert in_words(stack) == [
        ("Friday's close, 26 Dec of the sample, current", ""),
        ("Tuesday's close, 23 Dec of the sample, current", carried),
    ]


def test_no_byte_of_what_was_published_changes(before, sunday):
    assert len({file.parent for file in before}) >= 10, "five datasets of two markets"
    assert {file: file.read_bytes() for file in before} == before
