"""No setting, secret or profile but a test's own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import (
    AssetStateStoreResult,
    DeleteAssetStateStoreByName,
    ErrorResponse,
    GetAssetStateStoreByName,
    GetTaskStates,
    GetVariable,
    GetVariableKeys,
    SetAssetStateStoreByName,
    TaskStatesResult,
    VariableKeysResult,
    VariableResult,
)

from rankalpha.pipeline.markets import markets
from rankalpha.pipeline.pipelines import _by_dag, pipelines
from rankalpha.runners import process_lines
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings

ROOT = Path(__file__).parents[3]
OWN = ("RANKALPHA_", "AIRFLOW_VAR_", "AIRFLOW_CONN_", "HTTP_PROXY", "http_proxy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the settings of the machine away, and forget what a test has read."""
    for key in [key for key in os.environ if key.startswith(OWN)]:
        monkeypatch.delenv(key)
    forget()
    yield
    forget()


def forget() -> None:
    """Let the settings and the markets be read anew."""
    for read in (settings, markets, pipelines, _by_dag):
        read.cache_clear()


@pytest.fixture
def profile_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: Any) -> Path:
    """An empty profile `local` that is the chosen one; returns its folder. There are no Variables."""
    folder = tmp_path / "env" / "local"
    folder.mkdir(parents=True)
    for name in ("ingestion", "scorer", "sentiment", "api", "demo"):
        (folder / f"{name}.env").touch()
    monkeypatch.setenv("RANKALPHA_ENV_DIR", str(folder.parent))
    return folder


@pytest.fixture
def app_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The checkout that stages are started in as processes, which are ended after the test."""
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.setenv("RANKALPHA_APP_DIR", str(folder))
    monkeypatch.setenv("RANKALPHA_PROCESS_DIR", str(tmp_path / "processes"))
    monkeypatch.setenv("RANKALPHA_RUNNER", "process")
    monkeypatch.setattr(process_lines, "POLL_SECONDS", 0.02)  # most stages of tests end at once
    yield folder
    runner = ProcessRunner()
    for container in runner.containers({}):
        runner.remove(container.id)


@pytest.fixture
def airflow_says(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """Set what Airflow answers to a task that asks for the state of its task instance."""

    def set_state(state: str | None) -> None:
        def send(message: Any) -> Any:
            if isinstance(message, GetVariableKeys):
                return VariableKeysResult(keys=[], total_entries=0)
            if not isinstance(message, GetTaskStates):
                return None
            (task,), (run,) = message.task_ids, message.run_ids
            return TaskStatesResult(task_states={run: {task: state}} if state else {})

        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", SimpleNamespace(send=send), raising=False)

    return set_state


class Supervisor:
    """What a task asks for Variables, and for the state store of an asset."""

    def __init__(self) -> None:
        self.variables: dict[str, str | None] = {}
        self.store: dict[str, Any] = {}

    def send(self, message: Any) -> Any:
        match message:
            case SetAssetStateStoreByName():
                self.store[message.key] = message.value
            case DeleteAssetStateStoreByName():
                self.store.pop(message.key, None)
            case GetAssetStateStoreByName() if message.key in self.store:
                return AssetStateStoreResult(value=self.store[message.key])
            case GetAssetStateStoreByName():
                return ErrorResponse(error=ErrorType.ASSET_STORE_NOT_FOUND)
            case GetVariable() if message.key in self.variables:
                return VariableResult(key=message.key, value=self.variables[message.key])
            case GetVariable():
                return ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)
            case GetVariableKeys():
                return VariableKeysResult(keys=list(self.variables), total_entries=len(self.variables))
        return None


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """The part of Airflow that answers a task."""
    made = Supervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", made, raising=False)
    return made


@pytest.fixture
def variables(supervisor: Supervisor) -> dict[str, str | None]:
    """Airflow's Variables as a task has them."""
    return supervisor.variables


@pytest.fixture
def store(supervisor: Supervisor) -> dict[str, Any]:
    """The alerts that are remembered, by the keys of their incidents."""
    return supervisor.store
