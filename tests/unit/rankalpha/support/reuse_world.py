"""Stages whose output is another one each time, and prices of a chosen content."""

import hashlib
import sys
from contextlib import contextmanager

from cryptography.fernet import Fernet

from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from tests.support.checkout import ROOT
from tests.unit.rankalpha.support.together import Together

SCRIPT = ROOT / "tests" / "support" / "version_stage.py"


@contextmanager
def reuse_world(app, profile, data, monkeypatch):
    """Give a Together whose scorer and sentiment record what they read."""
    monkeypatch.setenv("RANKALPHA_DEFER", "false")
    monkeypatch.setenv("RANKALPHA_DATA_DIR", str(data))
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    (app / "apps" / "sentiment").mkdir(parents=True, exist_ok=True)  # where sentiment is started
    for name in ("scorer", "sentiment"):
        command = f"{name.upper()}_COMMAND={sys.executable} -S {SCRIPT} {name}\n"
        (profile / f"{name}.env").write_text(command)
    settings.cache_clear()
    made = Together(monkeypatch)
    made.data, made.app, made.profile = data, app, profile
    try:
        yield made
    finally:
        for container in ProcessRunner().containers({}):
            ProcessRunner().remove(container.id)


def ingest(airflow, key, content, session=None, name="ingestion-1-1"):
    """Publish prices of that content, as ingestion does; its notes differ each time."""
    folder = airflow.data / "prices" / key / name
    folder.mkdir(parents=True)
    files = {}
    for file, text in (("data", content), ("memo.json", key), ("manifest.json", f"{key} {content}")):
        (folder / file).write_text(text)
        files[file] = {"size": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    path, sealed = f"prices/{key}/{name}", files.pop("manifest.json")["sha256"]
    version = {"path": path, "sha256": sealed, "files": files, "inputs": {}}
    figures = {"rows": 1, "symbols": 1, "as_of": "2025-11-21", "outputs": [f"{path}/data"]}
    airflow.register("prices", key, {**figures, "details": {"session": session}, "version": version})


def run(airflow, key, dataset="scores", **how):
    """Run a stage by the newest event of prices; return the event that it publishes, or what became of it."""
    options = {"how": "events", "joined": airflow.joined("prices"), **how}
    outcome, _ = airflow.run(dataset, key, **options)
    return airflow.events[dataset][-1][1] if outcome == "published" else outcome


def runs(airflow):
    """How often a container has run to its end."""
    journal = airflow.data / "journal"
    return len(journal.read_text().splitlines()) if journal.exists() else 0
