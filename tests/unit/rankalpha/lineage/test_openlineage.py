"""OpenLineage: the provider's configuration made from one setting, and what is reported of our tasks."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from datasets import PRICES, SCORES, SCORES_CONTRACT
from rankalpha.lineage.openlineage.configuration import check_file, configuration
from rankalpha.lineage.openlineage.extractor import DatasetExtractor
from rankalpha.operators import PublishOperator, StageOperator
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.settings import SettingsError, StackSettings, settings
from rankalpha.stack.embedded.layout import Layout
from rankalpha.stack.launch import environment
from rankalpha.stages.scorer import SCORER
from tests.support.http_server import local_server
from tests.support.openlineage import violations
from tests.unit.rankalpha.conftest import forget
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT, stage
from tests.unit.rankalpha.support.task_context import TaskInstance

TRANSPORT = "AIRFLOW__OPENLINEAGE__TRANSPORT"
CHECKS = [
    {"name": "rows", "value": 3, "expected": "at least 1", "severity": "block", "passed": True},
    {"name": "age", "value": None, "expected": "at most 5 days", "severity": "warn", "passed": False},
]


def transport(**env):
    return json.loads(configuration(env)[TRANSPORT])


def test_it_is_off_unless_it_is_set_whatever_else_the_environment_says():
    assert configuration({"OPENLINEAGE_URL": "http://x"}) == {"AIRFLOW__OPENLINEAGE__DISABLED": "true"}


def test_a_file_gets_one_event_a_line():
    assert transport(RANKALPHA_OPENLINEAGE="/x/y") == {
        "type": "file",
        "log_file_path": "/x/y",
        "append": True,
    }


def test_a_key_is_in_no_configuration():
    env = {"RANKALPHA_OPENLINEAGE": "https://catalogue.example.org", "RANKALPHA_OPENLINEAGE_KEY": "sesame-1"}
    assert transport(**env)["url"] == "https://catalogue.example.org"
    assert "sesame-1" not in json.dumps(configuration(env))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("lineage.jsonl", "neither the URL of a server"),
        ("ftp://x/y", "neither the URL of a server"),
        ("http://", "neither the URL of a server"),
        ("http://[::1", "neither the URL of a server"),
        ("http://x:99999", "neither the URL of a server"),
        ("http://me:sesame@x", "would be visible; set RANKALPHA_OPENLINEAGE_KEY instead"),
    ],
)
def test_nonsense_is_refused(target, message):
    with pytest.raises(SettingsError, match=message) as refused:
        configuration({"RANKALPHA_OPENLINEAGE": target})
    assert "sesame" not in str(refused.value)


def test_a_file_that_cannot_be_written_is_refused(tmp_path):
    check_file("http://a.server.that/is-not-asked")
    check_file(str(tmp_path / "events"))
    with pytest.raises(SettingsError, match="cannot be written: No such file or directory"):
        check_file(str(tmp_path / "nowhere" / "events"))


def test_both_stacks_give_it_to_every_process(profile_dir, monkeypatch):
    (profile_dir / "airflow.env").write_text("RANKALPHA_OPENLINEAGE=/x/y\n")
    assert json.loads(environment()[TRANSPORT])["log_file_path"] == "/x/y"
    monkeypatch.setenv("RANKALPHA_OPENLINEAGE", "/x/z")
    made = Layout(StackSettings.load()).environment("")
    assert json.loads(made[TRANSPORT])["log_file_path"] == "/x/z"


def loaded(**env):
    """The modules of OpenLineage that a process of Airflow has loaded after it has parsed the DAGs."""
    root = Path(__file__).parents[4]
    script = (
        "import sys; from airflow.listeners.listener import get_listener_manager; get_listener_manager();"
        "from pathlib import Path; from rankalpha.lineage.graph import dag_bag;"
        f"dag_bag(Path({str(root)!r}));"
        "print(*[name for name in sys.modules if 'openlineage' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | configuration(env),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1].split()


def test_when_it_is_off_nothing_of_it_is_loaded():
    assert [name for name in loaded() if name.startswith("openlineage")] == []
    on = loaded(RANKALPHA_OPENLINEAGE="/dev/null")
    assert {"openlineage.client", "rankalpha.lineage.openlineage.extractor"} <= set(on)


def test_a_server_gets_events_with_the_key(monkeypatch):
    monkeypatch.setenv("RANKALPHA_OPENLINEAGE_KEY", "sesame")
    settings.cache_clear()
    with local_server(lambda _: (200, {})) as (url, requests):
        config = {"transport": transport(RANKALPHA_OPENLINEAGE=url, RANKALPHA_OPENLINEAGE_KEY="sesame")}
        OpenLineageClient(config=config).emit(event(RunState.START, [], []))
    (request,) = requests
    assert request.path == "/api/v1/lineage"
    assert request.headers["Authorization"] == "Bearer sesame"


def event(kind, inputs, outputs, facets=None):
    return RunEvent(
        eventType=kind,
        eventTime=datetime.now(UTC).isoformat(),
        run=Run("01932f6e-0000-7000-8000-000000000000", facets or {}),
        job=Job("rankalpha", "demo"),
        inputs=inputs,
        outputs=outputs,
        producer="https://github.com/apache/airflow",
    )


@pytest.fixture
def tasks():
    """A stage and the publish task after it."""
    with DAG("demo", schedule=None):
        run = StageOperator(task_id="run_demo", stage=stage(), consumes=[PRICES])
        publish = PublishOperator(task_id="publish_demo", dataset=SCORES, contract=SCORES_CONTRACT)
        run >> publish
    return run, publish


def described(task, extra, **xcoms):
    """What is reported of a task that has succeeded, as a schema-checked event."""
    ti = TaskInstance(batch=KEY, **xcoms)
    ti.get_template_context = lambda: {
        "outlet_events": {outlet: SimpleNamespace(extra=extra) for outlet in task.outlets}
    }
    found = DatasetExtractor(task).extract_on_complete(ti)
    made = json.loads(Serde.to_json(event(RunState.COMPLETE, found.inputs, found.outputs, found.run_facets)))
    assert list(violations(made)) == []
    return made


def test_checks_are_reported_of_the_dataset_that_was_checked(tasks):
    made = described(tasks[1], {**RESULT, "checks": CHECKS})
    prices, scores = made["inputs"]
    assert (prices["name"], scores["name"]) == ("prices", "scores")
    rows, age = scores["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert (rows["success"], rows["severity"], rows["actual"]) == (True, "error", "3")
    assert (age["success"], age["severity"], age["expected"]) == (False, "warn", "at most 5 days")
    assert "actual" not in age


def test_a_blocked_result_is_reported_with_its_checks_and_as_written_nowhere(tasks):
    ti = TaskInstance(batch=KEY, quarantine={"batch": KEY, "checks": CHECKS})
    found = DatasetExtractor(tasks[1]).extract_on_failure(ti)
    made = json.loads(Serde.to_json(event(RunState.FAIL, found.inputs, found.outputs)))
    assert list(violations(made)) == []
    assert [one["name"] for one in made["inputs"]] == ["prices", "scores"]
    assert [
        one["success"] for one in made["inputs"][1]["inputFacets"]["dataQualityAssertions"]["assertions"]
    ] == [
        True,
        False,
    ]
    assert made["outputs"] == []


def test_rows_and_who_has_published_anyway_are_reported(tasks):
    (output,) = described(tasks[1], {**RESULT, "forced": {"by": "ann", "reason": "a holiday"}})["outputs"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == RESULT["rows"]
    tags = {tag["key"]: tag["value"] for tag in output["facets"]["tags"]["tags"]}
    assert tags == {"symbols": "2", "as_of": "2025-11-19", "forced": "by ann: a holiday"}


def test_the_batch_that_a_version_is_used_again_from_is_reported(tasks):
    (output,) = described(tasks[1], {**RESULT, "reused_from": KEY})["outputs"]
    tags = {tag["key"]: tag["value"] for tag in output["facets"]["tags"]["tags"]}
    assert tags["reused_from"] == KEY


def test_a_stage_names_its_container(tasks):
    container = {"image": "demo", "digest": "sha256:1", "name": "c", "seconds": 1.5, "cpu_seconds": None}
    made = described(tasks[0], {}, container=container)
    tags = {tag["key"]: tag["value"] for tag in made["run"]["facets"]["tags"]["tags"]}
    assert tags == {
        "container_image": "demo",
        "container_digest": "sha256:1",
        "container_name": "c",
        "container_seconds": "1.5",
    }
    assert (made["inputs"][0]["facets"]["version"]["datasetVersion"], made["outputs"]) == (KEY, [])


def test_an_image_that_reports_nothing_is_reported_too(tasks):
    (output,) = described(tasks[1], {})["outputs"]
    assert output["facets"]["version"]["datasetVersion"] == KEY


def test_the_versions_that_were_read_and_written_are_reported(tasks):
    read = {"path": f"prices/{KEY}/ingestion-1-1", "sha256": "0a" * 32}
    own = {"path": f"prices/{KEY}/scorer-1-1", "sha256": "0b" * 32, "files": {}, "inputs": {"prices": read}}
    result = {**RESULT, "version": own}
    made = described(tasks[1], result, result=result)
    for dataset, version in ((made["inputs"][0], read), (made["outputs"][0], own)):
        tags = {tag["key"]: tag["value"] for tag in dataset["facets"]["tags"]["tags"]}
        assert (tags["version"], tags["version_sha256"]) == (version["path"], version["sha256"])
        assert dataset["facets"]["version"]["datasetVersion"] == KEY


def test_the_model_that_has_scored_is_an_input_of_its_own_batch(tmp_path, monkeypatch):
    (tmp_path / "markets.toml").write_text("[nyse]\n[nyse.training]\n")
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    forget()
    market = pipeline("nyse").market
    prices, scores = market.dataset(PRICES), market.dataset(SCORES)
    with DAG("rankalpha_nyse_scoring", schedule=None):
        run = StageOperator(task_id="run_scorer", stage=SCORER.of(market), consumes=[prices])
        publish = PublishOperator(task_id="publish_scores", dataset=scores, contract=SCORES_CONTRACT)
        run >> publish
    of_prices = {"path": f"prices/{KEY}/ingestion-1-1", "sha256": "0a" * 32}
    model = {"path": "models/2025-11-16T06:00:00/trainer-1-1", "sha256": "0c" * 32}
    own = {"path": f"prices/{KEY}/scorer-1-1", "sha256": "0b" * 32, "files": {}}
    for inputs in ({"prices": of_prices, "models": model}, {"prices": of_prices}):
        result = {**RESULT, "version": {**own, "inputs": inputs}}
        for task in (run, publish):
            read = described(task, result, result=result)["inputs"]
            assert [each["name"] for each in read] == [f"nyse_{dataset}" for dataset in inputs]
            for dataset, version in zip(read, inputs.values(), strict=True):
                tags = {tag["key"]: tag["value"] for tag in dataset["facets"]["tags"]["tags"]}
                assert tags == {"version": version["path"], "version_sha256": version["sha256"]}
                assert dataset["facets"]["version"]["datasetVersion"] == version["path"].split("/")[1]
