"""A lane: one market of a running stack, for one module of tests, which holds no other module's batches."""

import contextlib
import json

from rankalpha.pipeline.pipelines import Pipeline


class Lane:
    """The DAGs, datasets, data and services of one market, by the names that they have in any market."""

    def __init__(self, stack, market, services):
        self.stack, self.market, self.services = stack, market, services
        self.pipeline = Pipeline.of(market)
        self.api = stack.api
        self.data = stack.state / "data" / market.folder

    def dag(self, step):
        """The id of the DAG of a step, such as `scoring`; `watchdog` and `maintenance` are of all markets."""
        return self.pipeline.by_step.get(step) or f"rankalpha_{step}"

    def asset(self, dataset):
        """The name of a dataset such as `scores`."""
        return f"{self.market.prefix}{dataset}"

    def trigger(self, step, key=None):
        """Trigger a DAG by hand; return its run id."""
        return self.stack.trigger(self.dag(step), key)

    def runs(self, step, **filters):
        """The newest runs of a DAG, oldest first."""
        return self.stack.runs(self.dag(step), **filters)

    def runs_of(self, step, key):
        """The runs of a DAG that were triggered for a batch, oldest first."""
        return self.runs(step, partition_key_prefix_pattern=key)

    def run_of(self, step, key):
        """The id of the one run of a DAG that was triggered for a batch."""
        (run,) = self.runs_of(step, key)
        return run["dag_run_id"]

    def tasks(self, step, run_id):
        """The tasks of a run by their ids."""
        return self.stack.tasks(self.dag(step), run_id)

    def log(self, step, run_id, task_id, attempt=1):
        """A task's log as JSON."""
        return self.stack.log(self.dag(step), run_id, task_id, attempt)

    def mark_failed(self, step, run_id, task_id=None):
        """End a run, or a task of it, as a person does in the UI."""
        path = f"dags/{self.dag(step)}/dagRuns/{run_id}"
        self.stack.mark_failed(f"{path}/taskInstances/{task_id}" if task_id else path)

    def mark_success(self, step, run_id, task_id):
        """Call a task of a run a success, as a person does in the UI; what follows it then runs."""
        self.stack.mark_success(f"dags/{self.dag(step)}/dagRuns/{run_id}/taskInstances/{task_id}")

    def clear(self, step, run_id, task_id):
        """Clear a task and what follows it, as a person does in the UI."""
        self.stack.clear(self.dag(step), run_id, task_id)

    @contextlib.contextmanager
    def paused(self, step):
        """Pause a DAG for a while."""
        with self.stack.paused(self.dag(step)):
            yield

    def events(self, dataset):
        """The newest events of a dataset, oldest first."""
        return self.stack.events(self.asset(dataset))

    def published(self, dataset, key):
        """The events of a batch in a dataset, oldest first."""
        return [event for event in self.events(dataset) if event["partition_key"] == key]

    def settle(self, seconds=300, waiting=0):
        """Return when the DAGs of this market have nothing to do but `waiting` things that a pause holds."""
        self.stack.settle(self.pipeline.dag_ids, seconds, waiting)

    def ingest(self, key):
        """Let a batch begin and come as far as it comes; return the id of the run that began it."""
        run_id = self.trigger("ingestion", key)
        self.settle()
        return run_id

    @contextlib.contextmanager
    def fault(self, stage, mode):
        """Let a recording stage go wrong for a while, see `tests.support.recording_stage`."""
        self.data.mkdir(parents=True, exist_ok=True)
        path = self.data / f"fault-{stage}"
        path.write_text(mode)
        try:
            yield
        finally:
            path.unlink()

    def journal(self, stage, key):
        """What a stage has recorded for a batch, an entry for each of its starts, oldest first."""
        file = self.data / "journal.jsonl"
        entries = map(json.loads, file.read_text().splitlines() if file.exists() else [])
        return [entry for entry in entries if (entry["stage"], entry["batch"]) == (stage, key)]

    def command(self, name, *arguments):
        """Run a command of `rankalpha` for this market, as an outside monitor does."""
        of_market = ("--market", self.market.name) if self.market.folder else ()
        return self.stack.command(name, *of_market, *arguments)
