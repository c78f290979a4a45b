"""The tasks of the pipeline with the reference services, and an Airflow that is a few dictionaries.

Each step is the real operators on the real process runner; the API is the real one, on a port of its own.
"""

import copy
import json
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace

import pytest
import uvicorn
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors

from apps.api.app import create_app
from apps.api.settings import Settings
from datasets import (
    EVALUATIONS,
    EVALUATIONS_CONTRACT,
    GRADES,
    GRADES_CONTRACT,
    PRICES,
    PRICES_CONTRACT,
    SCORES,
    SCORES_CONTRACT,
    SENTIMENT,
    SENTIMENT_CONTRACT,
)
from rankalpha.contract.quarantine import PUBLISH_ANYWAY
from rankalpha.operators import PublishOperator, StageOperator, given
from rankalpha.operators.service import ServiceOperator, ShowOperator
from rankalpha.pipeline.batch import ASSET_TRIGGERED, BATCHES_KEY, FIGURES_KEY, TRIAL
from rankalpha.pipeline.market import DEFAULT_MARKET
from rankalpha.pipeline.reuse import REUSABLE_KEY, listed_reusable
from rankalpha.pipeline.steps import SHAPE
from rankalpha.pipeline.versions import VERSIONS_KEY, listed
from rankalpha.runners.failures import StageFailed
from rankalpha.stages.evaluation import EVALUATION
from rankalpha.stages.grading import EVALUATION_SHOW, GRADING_REFRESH, GRADING_SHOW
from rankalpha.stages.ingestion import INGESTION
from rankalpha.stages.scorer import SCORER
from rankalpha.stages.sentiment import SENTIMENT_ANALYSIS
from tests.unit.rankalpha.support.task_context import TaskInstance, context

RUNS = count()
STEPS = {step.writes: step.name for step in SHAPE}
FIGURES = ("rows", "symbols", "as_of")  # that contracts compare
MADE = {  # what makes each dataset, and of what
    "prices": (INGESTION, (), PRICES, PRICES_CONTRACT),
    "scores": (SCORER, (PRICES,), SCORES, SCORES_CONTRACT),
    "sentiment": (SENTIMENT_ANALYSIS, (PRICES,), SENTIMENT, SENTIMENT_CONTRACT),
    "grades": (None, (SCORES, SENTIMENT), GRADES, GRADES_CONTRACT),
    "evaluations": (EVALUATION, (GRADES,), EVALUATIONS, EVALUATIONS_CONTRACT),
}
SHOWN = {"grades": GRADING_SHOW, "evaluations": EVALUATION_SHOW}


class Together:
    """Runs steps; `events` are the events of each dataset, oldest first, as (batch, extra).

    A challenger runs `beside` its champion, and has the datasets of the champion that are not its own.
    """

    def __init__(self, monkeypatch, market=DEFAULT_MARKET, beside=None):
        self.market = market
        self.assets = {name: market.dataset(asset) for name, (_, _, asset, _) in MADE.items()}
        shared = beside.stores if beside else {}
        self.events = {
            name: beside.events[name] if asset in shared else [] for name, asset in self.assets.items()
        }
        empty = {BATCHES_KEY: [], FIGURES_KEY: {}, VERSIONS_KEY: {}, REUSABLE_KEY: {}}
        self.stores = {asset: copy.deepcopy(empty) for asset in self.assets.values()} | shared
        by_name = {asset.name: store for asset, store in self.stores.items()}
        monkeypatch.setattr(given, "published_versions", lambda name: by_name.get(name, empty)[VERSIONS_KEY])
        monkeypatch.setattr(given, "figures", lambda name: by_name[name][FIGURES_KEY])
        monkeypatch.setattr(given, "market_day", lambda *_: None)
        monkeypatch.setattr(given, "reusable", lambda name: by_name[name][REUSABLE_KEY])

    def run(self, dataset, key, *, how="hand", joined=(), anyway=False, marked=False, reuse=True):
        """Run the step that makes a dataset; return what became of it, and the output of its first task.

        That is "published", "blocked", "unpublished" or "failed". `how` is "hand", "off" (publishes nothing),
        "trial" (`airflow tasks test`), or, with the events that the run has `joined`, "events" or "cleared".
        A person may publish a blocked batch `anyway`, have a task that has failed or blocks `marked` as a
        success, and want no version used again (`reuse`).
        """
        first, last, show = self._tasks(dataset)
        asset, dag_id = self.assets[dataset], first.dag_id
        ti = TaskInstance()
        ti.dag_id, ti.run_id = dag_id, f"{TRIAL if how == 'trial' else 'run'}{next(RUNS)}"
        ti.max_tries = 3 if how == "cleared" else 0
        self.ti = ti
        outlets = OutletEventAccessors()
        params = {"publish": how != "off", "reuse": reuse}
        run = context(key, ti, asset_state_store=self.stores, params=params, outlet_events=outlets)
        run["dag_run"].run_after = datetime.now(UTC)
        if how in ("events", "cleared"):
            run["dag_run"].run_type = ASSET_TRIGGERED
            run["triggering_asset_events"] = joined
        self.error = ""
        for outcome, task in (("failed", first), ("blocked", last)):
            if task is last and asset in first.outlets:  # Airflow then emits the event of its success
                continue
            try:
                task.execute(run)
            except AirflowSkipException:
                return "unpublished", ti.output
            except (AirflowException, StageFailed) as error:
                self.error = str(error)
                if task is last and marked and show:  # Airflow then runs what follows
                    with pytest.raises(AirflowException, match="is not published"):
                        show.execute(context(key, ti))
                if task is last or not marked:
                    return outcome, ti.output
            if anyway:
                ti.xcoms[PUBLISH_ANYWAY] = {"by": "ann", "reason": "a holiday", "try": 1}
        self.register(dataset, key, outlets[asset].extra)
        if show:
            show.execute(context(key, ti))
        return "published", ti.output

    def _tasks(self, dataset):
        """The tasks of the step that makes a dataset; the last one, which shows it, is None for most."""
        stage, consumes, _, contract = MADE[dataset]
        market, asset = self.market, self.assets[dataset]
        consumes = [market.dataset(each) for each in consumes]
        with DAG(market.dag_id(STEPS[dataset]), schedule=None):
            if stage:
                first = StageOperator(task_id="first", stage=stage.of(market), consumes=consumes)
            else:
                first = ServiceOperator(task_id="first", call=GRADING_REFRESH.of(market), consumes=consumes)
            publish = PublishOperator(task_id=f"publish_{dataset}", dataset=asset, contract=contract)
            first >> publish
            if dataset not in SHOWN or market.challenges:
                return first, publish, None
            call = SHOWN[dataset].of(market)
            show = ShowOperator(task_id="show", call=call, batch_from="first", dataset=asset)
            publish >> show
        return first, publish, show

    def register(self, dataset, key, extra):
        """Keep an event, as the asset manager does."""
        extra = json.loads(json.dumps(extra))
        self.events[dataset].append((key, extra))
        store = self._store(dataset)
        store[BATCHES_KEY] = sorted({key, *store[BATCHES_KEY]}, reverse=True)
        store[FIGURES_KEY][key] = {name: extra[name] for name in FIGURES if name in extra}
        store[VERSIONS_KEY] = listed(store[VERSIONS_KEY], key, extra.get("version"))
        store[REUSABLE_KEY] = listed_reusable(store[REUSABLE_KEY], key, extra)

    def joined(self, *datasets):
        """The newest events of datasets, as a run has joined them."""
        found = {}
        for name in datasets:
            key, extra = self.events[name][-1]
            event = SimpleNamespace(extra=extra, partition_key=key, timestamp=time.time())
            found[self.assets[name]] = [event]
        return found

    def batch(self, key):
        """Run a whole batch by its events."""
        assert self.run("prices", key)[0] == "published", self.error
        for name in ("scores", "sentiment"):
            assert self.run(name, key, how="events", joined=self.joined("prices"))[0] == "published", (
                self.error
            )
        outcome = self.run("grades", key, how="events", joined=self.joined("scores", "sentiment"))
        assert outcome[0] == "published", self.error

    def version(self, dataset):
        """The version in the newest event of a dataset."""
        return self.events[dataset][-1][1]["version"]

    def _store(self, dataset):
        return self.stores[self.assets[dataset]]


@contextmanager
def grading_api(data_dir):
    """The reference API in a thread; gives its address."""
    config = uvicorn.Config(
        create_app(Settings(data_dir=data_dir)), host="127.0.0.1", port=0, log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30)


def bytes_of(root):
    """The content of each file below a folder, by path."""
    found = {}
    for path in sorted(root.rglob("*")):
        with suppress(OSError):
            if path.is_file():
                found[str(path.relative_to(root))] = path.read_bytes()
    return found
