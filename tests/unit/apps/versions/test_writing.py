"""A version is written by one container, whole or not at all."""

import os
import resource
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.apps.support.published import FIRST, SECOND, Orchestrator, content
from tests.unit.apps.support.stage_process import ROOT, environment


def test_two_containers_cannot_write_one_version(ingested: Orchestrator) -> None:
    ingested.publish("scores", name="scorer-0a1b2c3d-1")
    before = content(ingested.data / "prices")
    done = ingested.run("scores", name="scorer-0a1b2c3d-1")
    assert done.returncode == os.EX_CANTCREAT
    (line,) = done.stderr.splitlines()
    assert f"{ingested.folder('scores')}: exists already" in line
    assert content(ingested.data / "prices") == before


def test_of_containers_that_start_together_one_writes_the_version(ingested: Orchestrator) -> None:
    env = environment(
        RANKALPHA_DATA_DIR=str(ingested.data),
        RANKALPHA_BATCH=FIRST,
        RANKALPHA_INPUT_PRICES=str(ingested.folder("prices")),
        RANKALPHA_INPUT_PRICES_SHA256=ingested.published["prices", FIRST][1],
        RANKALPHA_OUTPUT=str(ingested.data / "prices" / FIRST / "scorer-0a1b2c3d-1"),
    )
    command = [sys.executable, "apps/scorer/main.py"]

    def start(_: int) -> int:
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False).returncode

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(start, range(3))) == [0, os.EX_CANTCREAT, os.EX_CANTCREAT]


@pytest.mark.parametrize(("stage", "bytes_"), [("ingestion", 50_000), ("scorer", 1000), ("sentiment", 300)])
def test_a_full_disk_leaves_nothing_and_names_the_file(
    ingested: Orchestrator, stage: str, bytes_: int
) -> None:
    """A limit of the process stands for the disk: writing fails in the middle of a file."""
    key = SECOND if stage == "ingestion" else FIRST
    volume = "company_reports" if stage == "sentiment" else "prices"
    output = ingested.data / volume / key / f"{stage}-0a1b2c3d-9"
    before = content(ingested.data)
    given = {
        "RANKALPHA_DATA_DIR": str(ingested.data),
        "RANKALPHA_BATCH": key,
        "RANKALPHA_OUTPUT": str(output),
        "SENTIMENT_USE_CONSENSUS": "false",
    }
    if stage != "ingestion":
        given["RANKALPHA_INPUT_PRICES"] = str(ingested.folder("prices"))
        given["RANKALPHA_INPUT_PRICES_SHA256"] = ingested.published["prices", FIRST][1]
    done = subprocess.run(
        [sys.executable, f"apps/{stage}/main.py"],
        cwd=ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_)),
    )
    assert done.returncode == os.EX_IOERR, done.stderr
    (line,) = done.stderr.splitlines()
    assert str(output) in line
    assert not output.exists()
    assert content(ingested.data) == before


def test_a_killed_stage_leaves_a_version_that_nobody_takes_for_one(ingested: Orchestrator) -> None:
    before = content(ingested.data)
    output = ingested.data / "company_reports" / FIRST / "sentiment-0a1b2c3d-9"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        given = {
            "RANKALPHA_DATA_DIR": str(ingested.data),
            "RANKALPHA_BATCH": FIRST,
            "RANKALPHA_OUTPUT": str(output),
            "RANKALPHA_INPUT_PRICES": str(ingested.folder("prices")),
            "RANKALPHA_INPUT_PRICES_SHA256": ingested.published["prices", FIRST][1],
            "SENTIMENT_USE_CONSENSUS": "false",
            "SENTIMENT_HEADLINES": "rss",
            "SENTIMENT_RSS_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/{{symbol}}",
        }
        command = [sys.executable, "apps/sentiment/main.py"]
        with (
            subprocess.Popen(command, cwd=ROOT, env=environment(**given), stdout=subprocess.DEVNULL) as stage,
            silent.accept()[0],
        ):
            stage.kill()
    assert output.is_dir()
    assert not (output / "manifest.json").exists()
    assert content(ingested.data) == before
    ingested.publish("sentiment")
