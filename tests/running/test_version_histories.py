"""Random histories of a batch in a running stack: lineage is what was read, and published data stay.

Runs are asked for by hand, by backfills, as trials, re-runs and single tasks; they are cleared, blocked,
published anyway, killed and failed by a person, and earlier versions are published again.
`tests/unit/rankalpha/operators/test_version_histories.py` does so with the operators alone, and much faster.
"""

import hashlib
import json
import os
import random
import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rankalpha.lineage.batch import batch_lineage
from tests.running.blocking import anyway
from tests.support.backfills import backfill, scheduled
from tests.support.figures import ALL
from tests.support.waiting import wait_for

READS = {"prices": (), "scores": ("prices",), "sentiment": ("prices",), "grades": ("scores", "sentiment")}
STEPS = {"prices": "ingestion", "scores": "scoring", "sentiment": "sentiment", "grades": "grading"}
STAGE_OF = {"prices": "ingestion", "scores": "scorer", "sentiment": "sentiment"}
TASKS = {
    "prices": "run_ingestion",
    "scores": "run_scorer",
    "sentiment": "run_ai_analysis",
    "grades": "update_grading",
}
SEEDS = 12 if ALL else 2
REASON = "a random history"


class History:
    """A random history of one batch; `seen` has each file of the versions that were published."""

    def __init__(self, lane, api, seed):
        self.lane, self.api, self.seed, self.chance = lane, api, seed, random.Random(seed)
        self.day = datetime(2022, seed % 12 + 1, seed // 12 + 1, tzinfo=UTC)
        self.key = scheduled(lane, self.day)
        self.done = Counter()
        self.seen = {}

    def play(self):
        """Ingest the batch, then do half of what can be done; the other half is the next seed's."""
        self.lane.ingest(self.key)
        self.look()
        runs = [self.again, self.trial, self.tried, self.rerun, self.backfilled, self.cleared]
        ends = [self.blocked, self.killed, self.failed, self.back]
        actions = []
        for kind in (runs, ends):
            actions += random.Random(self.seed // 2).sample(kind, len(kind))[self.seed % 2 :: 2]
        self.chance.shuffle(actions)
        for action in actions:
            action(self.chance.choice(list(READS)))
            self.done[action.__name__] += 1
            if self.chance.random() < 0.7:  # else the next one meets what is under way
                self.lane.settle()
                self.look()
        self.lane.settle()
        self.look()

    def again(self, dataset):
        self.lane.trigger(STEPS[dataset], self.key)

    def trial(self, dataset):
        """A run that publishes nothing."""
        body = {"logical_date": None, "partition_key": self.key, "conf": {"publish": False}}
        self.lane.api.post(f"dags/{self.lane.dag(STEPS[dataset])}/dagRuns", body)

    def tried(self, dataset):
        """A task alone, or a DAG, as a trial, which publishes nothing."""
        dag_id = self.lane.dag(STEPS[dataset])
        task = ("tasks", "test", dag_id, TASKS[dataset])
        command = self.chance.choice([task, ("dags", "test", dag_id)])
        done = self.lane.stack.stack("airflow", *command, self.key)
        assert done.returncode == 0, done.stdout

    def rerun(self, dataset):
        self.lane.settle()
        done = self.lane.command("rerun", "--batch", self.key, "--from", STEPS[dataset])
        assert done.returncode == 0, done.stdout

    def backfilled(self, _dataset):
        """Airflow itself runs the day again, as the clock would."""
        self.lane.settle()
        assert backfill(self.lane, self.day, days=1, again="completed") == [self.key]
        wait_for("its run", lambda: any(run["run_type"] == "backfill" for run in self.runs("prices")))

    def runs(self, dataset):
        return self.lane.runs_of(STEPS[dataset], self.key)

    def cleared(self, dataset):
        self.lane.settle()
        run = self.chance.choice(self.runs(dataset))["dag_run_id"]
        self.lane.clear(STEPS[dataset], run, TASKS[dataset])

    def blocked(self, dataset):
        """Every second time a person publishes it all the same."""
        self.lane.settle()
        if dataset == "grades":
            self.api.rows = 0
            self.again(dataset)
            self.lane.settle()
            self.api.rows = 1
        else:
            with self.lane.fault(STAGE_OF[dataset], "no rows"):
                self.again(dataset)
                self.lane.settle()
        self.look()
        if self.chance.random() < 0.5:
            done = anyway(self.lane, "--batch", self.key, "--dataset", dataset, "--reason", REASON)
            assert done.returncode == 0, done.stdout
            self.done["published anyway"] += 1

    def killed(self, dataset):
        """A container is killed in the middle of its output; the next attempt has a folder of its own."""
        with self.held(dataset) as pid:
            os.kill(pid, signal.SIGKILL)

    def failed(self, dataset):
        """A person ends the run while its container is in the middle of its output."""
        with self.held(dataset):
            run = self.runs(dataset)[-1]["dag_run_id"]
            self.lane.mark_failed(STEPS[dataset], run)

    def back(self, dataset):
        """A version that was published before is published again."""
        self.lane.settle()
        versions = [event["version"]["path"] for event in self.published(dataset)]
        others = sorted(set(versions) - {versions[-1]})
        if others:
            place = ("--market", self.lane.market.name, "--batch", self.key, "--dataset", dataset)
            more = ("--version", self.chance.choice(others), "--reason", REASON)
            done = self.lane.stack.stack("publish-version", *place, *more)
            assert done.returncode == 0, done.stdout
            self.done["earlier version published again"] += 1

    def held(self, dataset):
        """Hold the stage that makes a dataset, or scores, in the middle of its output; gives its process."""
        return Held(self, "scores" if dataset == "grades" else dataset)

    def published(self, dataset):
        """What the events of the batch say, oldest first."""
        return [event["extra"] for event in self.lane.published(dataset, self.key)]

    def look(self):
        """No byte of what was published has changed."""
        files = {
            path: path.read_bytes()
            for dataset in READS
            for extra in self.published(dataset)
            for path in (self.lane.data / extra["version"]["path"]).iterdir()
        }
        assert {path: files.get(path) for path in self.seen} == self.seen
        self.seen = files


class Held:
    """See History.held; what is held goes on when the block ends, if it still lives."""

    def __init__(self, history, dataset):
        self.history, self.dataset, self.stage = history, dataset, STAGE_OF[dataset]
        self.note = history.lane.data / f"held-{self.stage}"

    def __enter__(self):
        lane = self.history.lane
        lane.settle()
        self.fault = lane.fault(self.stage, "held")
        self.fault.__enter__()
        self.history.again(self.dataset)
        pid = wait_for(
            "a stage in the middle of its output", lambda: self.note.exists() and self.note.read_text()
        )
        return int(pid)

    def __exit__(self, *_):
        self.fault.__exit__(None, None, None)
        self.note.unlink()


def check(lane, history):
    """Compare what each event and the lineage say with what was recorded as read."""
    journal = [json.loads(line) for line in (lane.data / "journal").read_text().splitlines()]
    read = {entry["version"]: entry["read"] for entry in journal if f"/{history.key}/" in entry["version"]}
    known = {
        dataset: {extra["version"]["path"]: extra["version"] for extra in history.published(dataset)}
        for dataset in READS
    }
    for version, inputs in read.items():  # also of trials, and of what was blocked
        for dataset, found in inputs.items():
            assert found["path"] in known[dataset], f"{version} has read what was never published"
            assert found["content"] == known[dataset][found["path"]]["files"]["data"]["sha256"]
    for dataset, needs in READS.items():
        for path, version in known[dataset].items():
            assert version["inputs"].keys() == read[path].keys() == set(needs)
            recorded = {name: each["path"] for name, each in version["inputs"].items()}
            assert recorded == {name: each["path"] for name, each in read[path].items()}
            content = Path(lane.data, path, "data").read_bytes()
            assert hashlib.sha256(content).hexdigest() == version["files"]["data"]["sha256"]
    for step in batch_lineage(lane.api, history.key, lane.pipeline)["steps"]:
        made = read[step["output"]["version"]["path"]]
        shown = {
            each["dataset"].removeprefix(lane.market.prefix): each["version"]["path"]
            for each in step["inputs"]
        }
        assert shown == {name: each["path"] for name, each in made.items()}
    return len(read), sum(map(len, known.values()))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_lineage_is_what_was_read_and_published_data_stay(lane, version_api, say, seed):
    history = History(lane, version_api, seed)
    print(f"seed {seed}: batch {history.key}")
    history.play()
    versions, published = check(lane, history)
    newest = history.published("grades")[-1]["version"]["path"]
    assert version_api.shown[history.key] == newest
    done = lane.stack.stack("verify", "--market", lane.market.name, "--batch", history.key)
    assert done.returncode == 0, done.stdout
    assert f"{newest}  ({lane.asset('grades')}, published)" in done.stdout
    counts = ", ".join(f"{count} {name}" for name, count in history.done.items())
    say(f"Versions, history of seed {seed}: {counts}; {versions} versions written, {published} published")


def test_blocked_grades_are_not_shown_when_a_person_marks_their_task_as_a_success(lane, version_api):
    key = "2023-02-01T06:00:00"
    version_api.rows = 0
    lane.ingest(key)
    version_api.rows = 1
    (run,) = lane.runs_of("grading", key)
    assert lane.tasks("grading", run["dag_run_id"])["publish_grades"]["state"] == "failed"
    lane.mark_success("grading", run["dag_run_id"], "publish_grades")
    lane.settle()
    states = {name: task["state"] for name, task in lane.tasks("grading", run["dag_run_id"]).items()}
    assert (states["publish_grades"], states["show_grades"]) == ("success", "failed")
    told = f"batch {key} is not published in {lane.asset('grades')}, so that nothing of it is shown"
    assert told in lane.log("grading", run["dag_run_id"], "show_grades")
    assert (lane.published("grades", key), version_api.shown.get(key)) == ([], None)
