"""What a stage does with a version that is not what was published, and when its own cannot be written."""

import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from tests.unit.apps.support.published import FIRST, SECOND, Orchestrator, content, overwrite
from tests.unit.apps.support.stage_process import ROOT, environment, result

READERS = [("scores", "prices.parquet"), ("sentiment", "appearances.json")]


@pytest.fixture
def airflow(tmp_path: Path) -> Orchestrator:
    """Prices of the first batch are published."""
    made = Orchestrator(tmp_path)
    made.publish("prices")
    return made


def gone(path: Path) -> None:
    shutil.rmtree(path.parent)


def unsealed(path: Path) -> None:
    path.with_name("manifest.json").unlink()


def missing(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    overwrite(path, path.read_bytes()[:-1])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    overwrite(path, bytes(data))


def edited_manifest(path: Path) -> None:
    """A person has edited a file, and its checksum in the manifest too."""
    before = sha256(path.read_bytes()).hexdigest()
    flipped(path)
    manifest = path.with_name("manifest.json")
    text = manifest.read_text().replace(before, sha256(path.read_bytes()).hexdigest())
    overwrite(manifest, text.encode())


DAMAGES = [
    (gone, "manifest.json", "missing"),
    (unsealed, "manifest.json", "missing"),
    (missing, "", "missing"),
    (truncated, "", "bytes, but"),
    (flipped, "", "its SHA-256 is"),
    (edited_manifest, "manifest.json", "its SHA-256 is"),
]


@pytest.mark.parametrize(("dataset", "file"), READERS)
@pytest.mark.parametrize(("damage", "named", "says"), DAMAGES)
def test_a_reader_notices_bytes_that_were_not_published(
    airflow: Orchestrator, dataset: str, file: str, damage: Callable[[Path], None], named: str, says: str
) -> None:
    folder = airflow.folder("prices")
    damage(folder / file)
    done = airflow.run(dataset)
    assert done.returncode == os.EX_DATAERR
    (line,) = done.stderr.splitlines()
    assert f"{folder / (named or file)}: " in line
    assert says in line
    assert "make publish-version" in line
    assert_nothing_written(airflow, dataset)


def assert_nothing_written(airflow: Orchestrator, dataset: str) -> None:
    stage, volume = {"scores": ("scorer", "prices"), "sentiment": ("sentiment", "company_reports")}[dataset]
    assert not list((airflow.data / volume).glob(f"*/{stage}-*"))
    assert not (airflow.data / f"{stage}.{FIRST}.json").exists()


LIES = {
    "of another batch": ('"batch": "2026-11-20T06:00:00"', '"batch": "2026-11-19T06:00:00"', "of 2026-11-19"),
    "of another version": ('"version": "ingestion-', '"version": "ingested-', "it is the manifest of"),
    "no such file": ('"prices.parquet"', '"priced.parquet"', "does not list it"),
    "another size": ('"size": ', '"size": 1', "bytes, but"),
    "no checksum": ('"sha256": "', '"sha256": "x', "string_pattern"),
    "a way out": ('"appearances.json"', '"../../passwd"', "passwd"),
    "no JSON": ("{", "[", "Invalid JSON"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_manifest_that_lies_is_named_even_if_it_was_published(airflow: Orchestrator, lie: str) -> None:
    folder = airflow.folder("prices")
    before, after, says = LIES[lie]
    manifest = folder / "manifest.json"
    text = manifest.read_text()
    assert before in text
    overwrite(manifest, text.replace(before, after).encode())
    path, _ = airflow.published["prices", FIRST]
    airflow.published["prices", FIRST] = path, sha256(manifest.read_bytes()).hexdigest()
    done = airflow.run("scores")
    assert done.returncode == os.EX_DATAERR
    (line,) = done.stderr.splitlines()
    assert str(folder) in line
    assert says in line or says == "string_pattern"
    assert_nothing_written(airflow, "scores")


def test_a_damaged_version_of_an_older_batch_is_skipped_and_named(airflow: Orchestrator) -> None:
    airflow.publish("prices", SECOND)
    second = airflow.folder("prices", SECOND) / "prices.parquet"
    second.unlink()  # it is a link to that of the first batch
    shutil.copy(airflow.folder("prices") / "prices.parquet", second)
    flipped(second)
    third = "2026-11-22T06:00:00"
    done = airflow.run("prices", third)
    assert done.returncode == 0, done.stderr
    assert f"warning: {second} is corrupt and skipped" in done.stdout
    version = result("ingestion", airflow.data, third)["version"]
    assert [each["path"] for each in version["earlier"]] == [airflow.published["prices", FIRST][0]]


def test_two_containers_cannot_write_one_version(airflow: Orchestrator) -> None:
    airflow.publish("scores", name="scorer-0a1b2c3d-1")
    before = content(airflow.data / "prices")
    done = airflow.run("scores", name="scorer-0a1b2c3d-1")
    assert done.returncode == os.EX_CANTCREAT
    (line,) = done.stderr.splitlines()
    assert f"{airflow.folder('scores')}: exists already" in line
    assert content(airflow.data / "prices") == before


def test_of_containers_that_start_together_one_writes_the_version(airflow: Orchestrator) -> None:
    env = environment(
        RANKALPHA_DATA_DIR=str(airflow.data),
        RANKALPHA_BATCH=FIRST,
        RANKALPHA_INPUT_PRICES=str(airflow.folder("prices")),
        RANKALPHA_INPUT_PRICES_SHA256=airflow.published["prices", FIRST][1],
        RANKALPHA_OUTPUT=str(airflow.data / "prices" / FIRST / "scorer-0a1b2c3d-1"),
    )
    command = [sys.executable, "apps/scorer/main.py"]

    def start(_: int) -> int:
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False).returncode

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(start, range(3))) == [0, os.EX_CANTCREAT, os.EX_CANTCREAT]


@pytest.mark.parametrize(("stage", "bytes_"), [("ingestion", 50_000), ("scorer", 1000), ("sentiment", 300)])
def test_a_full_disk_leaves_nothing_and_names_the_file(
    airflow: Orchestrator, stage: str, bytes_: int
) -> None:
    """A limit of the process stands for the disk: writing fails in the middle of a file."""
    key = SECOND if stage == "ingestion" else FIRST
    volume = "company_reports" if stage == "sentiment" else "prices"
    output = airflow.data / volume / key / f"{stage}-0a1b2c3d-9"
    before = content(airflow.data)
    given = {
        "RANKALPHA_DATA_DIR": str(airflow.data),
        "RANKALPHA_BATCH": key,
        "RANKALPHA_OUTPUT": str(output),
        "SENTIMENT_USE_CONSENSUS": "false",
    }
    if stage != "ingestion":
        given["RANKALPHA_INPUT_PRICES"] = str(airflow.folder("prices"))
        given["RANKALPHA_INPUT_PRICES_SHA256"] = airflow.published["prices", FIRST][1]
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
    assert content(airflow.data) == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RANKALPHA_OUTPUT", "/elsewhere/prices"),
        ("RANKALPHA_INPUT_PRICES", "/etc"),
        ("RANKALPHA_INPUT_PRICES_SHA256", ""),
        ("RANKALPHA_INPUT_PRICES_SHA256", "A" * 64),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(airflow: Orchestrator, key: str, value: str) -> None:
    done = airflow.run("scores", **{key: value})
    assert done.returncode == os.EX_CONFIG
    (line,) = done.stderr.splitlines()
    assert key.removesuffix("_SHA256") in line
    assert "expected" in line


@pytest.mark.parametrize("value", ["{", "{}", '["a"]', '[["prices/x", "y"]]'])
def test_a_list_of_older_batches_that_cannot_be_used_is_named(airflow: Orchestrator, value: str) -> None:
    done = airflow.run("prices", SECOND, RANKALPHA_EARLIER_PRICES=value)
    assert done.returncode == os.EX_CONFIG
    assert "RANKALPHA_EARLIER_PRICES" in done.stderr


def test_a_version_of_another_batch_is_refused(airflow: Orchestrator) -> None:
    airflow.published["prices", SECOND] = airflow.published["prices", FIRST]
    done = airflow.run("scores", SECOND)
    assert done.returncode == os.EX_CONFIG
    assert f"expected a version of batch {SECOND}" in done.stderr


def test_a_killed_stage_leaves_a_version_that_nobody_takes_for_one(airflow: Orchestrator) -> None:
    before = content(airflow.data)
    output = airflow.data / "company_reports" / FIRST / "sentiment-0a1b2c3d-9"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        given = {
            "RANKALPHA_DATA_DIR": str(airflow.data),
            "RANKALPHA_BATCH": FIRST,
            "RANKALPHA_OUTPUT": str(output),
            "RANKALPHA_INPUT_PRICES": str(airflow.folder("prices")),
            "RANKALPHA_INPUT_PRICES_SHA256": airflow.published["prices", FIRST][1],
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
    assert content(airflow.data) == before
    airflow.publish("sentiment")
