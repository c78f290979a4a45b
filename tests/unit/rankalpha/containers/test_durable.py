"""One container for each try group of a task, whoever asks for it and whatever has died in between."""

import logging
import multiprocessing
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rankalpha.containers import durable
from rankalpha.containers.durable import find_or_start
from rankalpha.runners.container import Container
from rankalpha.runners.process import ProcessRunner
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.demo_stage import identity, job
from tests.unit.rankalpha.support.process_helpers import (
    UNTIL_GO,
    alive,
    ended,
    forked,
    leader,
    output,
    printed,
)

log = logging.getLogger("task")
ROUNDS = 20
SAY = "import os\nopen('starts', 'a').write(os.environ['RANKALPHA_BATCH'] + '\\n')\n"


@pytest.fixture(autouse=True)
def folder(app_dir, caplog) -> Path:
    caplog.set_level("INFO")
    return app_dir


def ask(**who) -> Container:
    one = identity(**who)
    env = {"RANKALPHA_BATCH": one.batch}
    return find_or_start(ProcessRunner(), job(env=env, labels=one.labels), one, log)


def ask_in_each_round(together: Any) -> None:
    """Ask for one container after the other, each at the same time as all others who ask."""
    for number in range(ROUNDS):
        together.wait(60)
        ask(batch=f"2025-11-20T06:00:{number:02}", run=f"manual__{number}")


def one_each(folder: Path) -> bool:
    """Tell whether all rounds have ended well; more than one process for any of them fails the test."""
    statuses = [container.status for container in ProcessRunner().containers({})]
    starts = Counter((folder / "starts").read_text().split()) if (folder / "starts").exists() else {}
    assert set(starts.values()) <= {1}
    assert len(statuses) <= ROUNDS
    return statuses == [0] * ROUNDS and len(starts) == ROUNDS


@pytest.mark.parametrize("seconds", [0, 0.3])
def test_processes_that_ask_at_the_same_time_get_one_stage(folder, monkeypatch, seconds):
    monkeypatch.setattr(
        durable, "START_TIME", timedelta(seconds=seconds)
    )  # 0: nobody waits for a maker, the lock decides
    (folder / "main.py").write_text(SAY)
    asking = partial(ask_in_each_round, multiprocessing.get_context("fork").Barrier(3))
    with forked(asking, asking, asking):
        wait_for("all rounds", lambda: one_each(folder))
    assert one_each(folder)


def test_threads_that_ask_at_the_same_time_get_one_stage(folder, monkeypatch):
    monkeypatch.setattr(durable, "START_TIME", timedelta(seconds=0))
    (folder / "main.py").write_text(SAY)
    together = threading.Barrier(2)
    threads = [threading.Thread(target=ask_in_each_round, args=[together]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    wait_for("the end of all", lambda: one_each(folder))


def test_a_stage_that_runs_is_adopted(folder, caplog):
    (folder / "main.py").write_text(SAY + UNTIL_GO)
    first = ask()
    second = ask(try_number=2)
    assert (second.id, second.started, second.running) == (first.id, first.started, True)
    assert caplog.messages == [
        f"Started container {first.name} from image demo:1",
        f"Adopting container {first.name}, which runs since {first.started}",
    ]
    assert first.labels == identity().labels


def test_a_stage_whose_starter_was_killed_is_adopted_and_its_output_is_whole(folder):
    say = f"for n in range(20): print(n)\n{UNTIL_GO}for n in range(20, 40): print(n)"
    (folder / "main.py").write_text(SAY + say)
    with forked(lambda: (ask(), time.sleep(60))):  # killed at the end of the block
        wait_for("the stage", lambda: ProcessRunner().find(identity().name))
        wait_for("its output", lambda: printed(ProcessRunner().find(identity().name)))
    killed = datetime.now(UTC).isoformat()
    adopted = ask(try_number=2)
    assert adopted.running
    (folder / "go").touch()
    lines = output(adopted)
    assert [line.text for line in lines] == [*map(str, range(40))]
    assert [line.time for line in lines] == sorted(line.time for line in lines)
    assert lines[0].time < killed < lines[-1].time
    assert ended(adopted).status == 0
    assert one_start(folder)


def one_start(folder: Path) -> bool:
    return len((folder / "starts").read_text().split()) == 1


def test_a_stage_that_has_ended_meanwhile_is_collected(folder, caplog):
    report = "open(os.environ['RANKALPHA_RESULT'], 'w').write('{}')\nprint('done')\nraise SystemExit(3)"
    (folder / "main.py").write_text(SAY + report)
    first = ended(ask())
    second = ask(try_number=2)
    assert (second.id, second.running, second.status) == (first.id, False, 3)
    assert ProcessRunner().result(second.id, "demo") == b"{}"
    assert [line.text for line in output(second)] == printed(second) == ["done"]
    assert f"which has ended; it ran since {first.started}" in caplog.messages[-1]
    assert one_start(folder)


class Late(ProcessRunner):
    """Looks a moment too early: what it does not find is there when it looks again."""

    def __init__(self) -> None:
        super().__init__()
        self.early = True

    def find(self, name: str) -> Container | None:
        early, self.early = self.early, False
        return None if early else super().find(name)


def test_a_stage_that_somebody_has_started_meanwhile_is_adopted_and_not_stopped(folder):
    (folder / "main.py").write_text(SAY + UNTIL_GO)
    first = ask()
    second = find_or_start(Late(), job(labels=identity().labels), identity(), log)
    assert (second.id, second.running) == (first.id, True)


def test_what_was_left_unstarted_is_started_when_its_maker_had_time(folder, monkeypatch, caplog):
    monkeypatch.setattr(durable, "START_TIME", timedelta(seconds=1))
    (folder / "main.py").write_text(SAY)
    made = ProcessRunner().create(job(labels=identity().labels), identity().name)
    found = ended(ask(try_number=2))
    assert (found.id, found.status) == (made.id, 0)
    assert found.started.timestamp() - made.created.timestamp() > 0  # started is in whole seconds
    assert caplog.messages == [f"Started container {made.name}, which had been created and not started"]


def test_what_was_set_aside_does_not_count(folder):
    (folder / "main.py").write_text(SAY)
    first = ended(ask())
    ProcessRunner().set_aside(first.id, 1)
    second = ask(try_number=2)
    assert second.id != first.id
    assert ProcessRunner().find(f"{first.name}-try1").id == first.id
    ProcessRunner().set_aside(first.id, 2)  # a second time it keeps its name
    assert ProcessRunner().inspect(first.id).name == f"{first.name}-try1"


def test_clearing_a_task_begins_anew_and_stops_what_runs(folder, caplog):
    (folder / "main.py").write_text(SAY + UNTIL_GO)
    old, other = ask(), ask(run="manual__2")
    pid = leader(old).pid
    new = ask(group=7, try_number=5)
    assert new.id != old.id
    assert not alive(pid)
    assert [ProcessRunner().inspect(one.id).running for one in (old, other, new)] == [False, True, True]
    assert f"Stopping container {old.name}, whose task was cleared" in caplog.messages
