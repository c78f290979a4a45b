"""`make up` in the hour after a close, on a Sunday, on a holiday and on a half day: one stack, moved in time.

The whole stack has the other clock, PostgreSQL too. Schedule, exchange, sample and services are a user's own.
"""

import json
import re

import pytest

from tests.support.checkout import EACH_RUNS
from tests.support.embedded_stack import RunningStack
from tests.support.other_clock import OtherClock
from tests.support.template import copy_database
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.story]
# closes at 21:00 UTC in winter; Thursday, 26 November, is Thanksgiving, and Friday then closes at 18:00
AFTER_THE_CLOSE, SUNDAY = "2026-11-20T21:30", "2026-11-22T10:00"
HOLIDAY, HALF_DAY = "2026-11-26T22:00", "2026-11-27T18:30"
SIX = "T06:00:00"  # when the schedule has a batch


@pytest.fixture(scope="module")
def clock(home):
    """The clock of the stack; its library lies where PostgreSQL's own user can read it, too."""
    return OtherClock(home)


@pytest.fixture(scope="module")
def stack(home, shared, clock):
    """A stack that is not started yet; its own, because its clock is another one."""
    state = home / "market-day"
    copy_database(shared, state / "postgres")
    used_again = {f"AIRFLOW_VAR_{key}": "true" for key in EACH_RUNS}
    running = RunningStack(state, **used_again, AIRFLOW_VAR_EVALUATION_EVERY="252")  # its backtest is slow
    yield running
    running.end()


@pytest.fixture
def up(stack, clock):
    """Stops the stack, sets its clock and starts it as a person does, until what is due is done.

    A scheduler that was down makes the batch that it had planned next, and then the newest that is due.
    """

    def start(moment, due=""):
        stack.stack("down")
        clock.set(moment)
        stack.env |= clock.env
        done = stack.stack("up")
        assert done.returncode == 0, done.stdout
        wait_for("the batch that is due", lambda: newest(stack).startswith(due), 300)
        stack.settle(seconds=600)
        return done.stdout

    return start


def newest(stack):
    """The newest batch that has prices."""
    return max(event["partition_key"] for event in stack.events("prices"))


def graded(shown):
    """The batch that `up` has followed until it was graded."""
    return re.search(r"Batch (\S+) is graded and the frontend is notified", shown)[1]


def session(stack, batch):
    """The session that the prices of a batch are of, as the stage has reported it; it lacks none of them."""
    (event,) = [event["extra"] for event in stack.events("prices") if event["partition_key"] == batch]
    details = event["details"]
    assert (details["session"], details["sessions_behind"]) == (event["as_of"], 0)
    return event["as_of"]


def made_by(stack, batch):
    """The batches whose containers have made what a batch was graded from."""
    (event,) = [event["extra"] for event in stack.events("grades") if event["partition_key"] == batch]
    read = event["version"]["inputs"]
    return {read[dataset]["path"].split("/")[1] for dataset in ("scores", "sentiment")}


def health(stack):
    """What is said of the grades that are shown: their session, and what they were carried over from."""
    done = stack.stack("health", "--json")
    overview = json.loads(done.stdout)
    assert (done.returncode, overview["incidents"]) == (0, [])
    return overview["session"]


def test_a_new_machine_in_the_hour_after_a_close_has_that_session(stack, up):
    batch = graded(up(AFTER_THE_CLOSE))
    assert batch.startswith("2026-11-20T21:")
    assert stack.query("SELECT to_char(now(), 'YYYY-MM-DD')") == ["2026-11-20"]
    assert session(stack, batch) == "2026-11-20"
    assert made_by(stack, batch) == {batch}
    assert health(stack)["text"] == "Friday's close, 20 Nov, current"


def test_on_a_sunday_nothing_is_new_and_no_container_but_ingestions_runs(stack, up):
    friday, batch = newest(stack), f"2026-11-22{SIX}"
    up(SUNDAY, batch)
    for key in (f"2026-11-21{SIX}", batch):
        assert session(stack, key) == "2026-11-20"
        assert made_by(stack, key) == {friday}
    told = health(stack)
    assert told["text"] == "Friday's close, 20 Nov, current"
    assert told["news"].startswith("no new session; grades of Fri 20 Nov 21:")


def test_on_a_holiday_the_close_of_the_day_before_is_current_all_day(stack, up):
    batch = f"2026-11-26{SIX}"
    up(HOLIDAY, batch)
    assert session(stack, batch) == "2026-11-25"
    assert made_by(stack, batch) == {batch}
    assert health(stack)["text"] == "Wednesday's close, 25 Nov, current"


def test_on_a_half_day_the_early_close_counts(stack, up):
    """The batch of the morning follows a holiday; half an hour after the close a person wants a new one."""
    morning = f"2026-11-27{SIX}"
    up(HALF_DAY, morning)
    assert session(stack, morning) == "2026-11-25"
    assert made_by(stack, morning) == {f"2026-11-26{SIX}"}
    told = health(stack)["text"]
    assert "Wednesday's close, 25 Nov, at least 1 session behind" in told
    assert "a newer one closed on Fri 27 Nov at 18:00 UTC" in told
    stack.trigger("rankalpha_ingestion")
    stack.settle(seconds=600)
    batch = newest(stack)
    assert batch.startswith("2026-11-27T18:")
    assert session(stack, batch) == "2026-11-27"
    assert made_by(stack, batch) == {batch}
    assert health(stack)["text"] == "Friday's close, 27 Nov, current"


def test_each_batch_was_graded_once_and_says_what_it_was_made_from(stack):
    keys = [event["partition_key"] for event in stack.events("prices")]
    assert len(keys) == 7, "Friday, Saturday, Sunday, Monday, Thursday, and Friday twice"
    runs = [(run["partition_key"], run["state"]) for run in stack.runs("rankalpha_grading")]
    assert sorted(runs) == [(key, "success") for key in sorted(keys)]
    lineage = stack.stack("lineage", "--batch", f"2026-11-22{SIX}").stdout
    assert f"used again from batch {keys[0]}, no container ran" in " ".join(lineage.split())
    for key in keys:
        done = stack.stack("verify", "--batch", key)
        assert done.returncode == 0, done.stdout
