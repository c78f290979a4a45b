"""What a stage does with a version that is not what was published."""

import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from apps.common.compared import note, unchanged
from apps.common.stage import BadData
from apps.common.versions import Version
from tests.unit.apps.support.published import FIRST, SECOND, Orchestrator, overwrite
from tests.unit.apps.support.stage_process import result

READERS = [("scores", "prices.parquet"), ("sentiment", "appearances.json")]


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
    ingested: Orchestrator, dataset: str, file: str, damage: Callable[[Path], None], named: str, says: str
) -> None:
    folder = ingested.folder("prices")
    damage(folder / file)
    done = ingested.run(dataset)
    assert done.returncode == os.EX_DATAERR
    (line,) = done.stderr.splitlines()
    assert f"{folder / (named or file)}: " in line
    assert says in line
    assert "make publish-version" in line
    assert_nothing_written(ingested, dataset)


def assert_nothing_written(ingested: Orchestrator, dataset: str) -> None:
    stage, volume = {"scores": ("scorer", "prices"), "sentiment": ("sentiment", "company_reports")}[dataset]
    assert not list((ingested.data / volume).glob(f"*/{stage}-*"))
    assert not (ingested.data / f"{stage}.{FIRST}.json").exists()


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
def test_a_manifest_that_lies_is_named_even_if_it_was_published(ingested: Orchestrator, lie: str) -> None:
    folder = ingested.folder("prices")
    before, after, says = LIES[lie]
    manifest = folder / "manifest.json"
    text = manifest.read_text()
    assert before in text
    overwrite(manifest, text.replace(before, after).encode())
    path, _ = ingested.published["prices", FIRST]
    ingested.published["prices", FIRST] = path, sha256(manifest.read_bytes()).hexdigest()
    done = ingested.run("scores")
    assert done.returncode == os.EX_DATAERR
    (line,) = done.stderr.splitlines()
    assert str(folder) in line
    assert says in line or says == "string_pattern"
    assert_nothing_written(ingested, "scores")


def test_a_damaged_version_of_an_older_batch_is_skipped_and_named(ingested: Orchestrator) -> None:
    ingested.publish("prices", SECOND)
    second = ingested.folder("prices", SECOND) / "prices.parquet"
    second.unlink()  # it is a link to that of the first batch
    shutil.copy(ingested.folder("prices") / "prices.parquet", second)
    flipped(second)
    third = "2026-11-22T06:00:00"
    done = ingested.run("prices", third)
    assert done.returncode == 0, done.stderr
    assert f"warning: {second} is corrupt and skipped" in done.stdout
    version = result("ingestion", ingested.data, third)["version"]
    assert [each["path"] for each in version["earlier"]] == [ingested.published["prices", FIRST][0]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RANKALPHA_OUTPUT", "/elsewhere/prices"),
        ("RANKALPHA_INPUT_PRICES", "/etc"),
        ("RANKALPHA_INPUT_PRICES_SHA256", ""),
        ("RANKALPHA_INPUT_PRICES_SHA256", "A" * 64),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(ingested: Orchestrator, key: str, value: str) -> None:
    done = ingested.run("scores", **{key: value})
    assert done.returncode == os.EX_CONFIG
    (line,) = done.stderr.splitlines()
    assert key.removesuffix("_SHA256") in line
    assert "expected" in line


@pytest.mark.parametrize("value", ["{", "{}", '["a"]', '[["prices/x", "y"]]'])
def test_a_list_of_older_batches_that_cannot_be_used_is_named(ingested: Orchestrator, value: str) -> None:
    done = ingested.run("prices", SECOND, RANKALPHA_EARLIER_PRICES=value)
    assert done.returncode == os.EX_CONFIG
    assert "RANKALPHA_EARLIER_PRICES" in done.stderr


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(ingested: Orchestrator) -> None:
    (ingested.data / "company_reports").write_text("in the way")
    done = ingested.run("sentiment")
    assert done.returncode == os.EX_IOERR
    (line,) = done.stderr.splitlines()
    assert str(ingested.data / "company_reports") in line
    assert "free space on its disk, or make it writable" in line


def test_a_file_that_is_written_while_it_is_read_makes_nothing(tmp_path: Path) -> None:
    """What was compared is then not what was read."""
    file, gone = tmp_path / "file", tmp_path / "gone"
    for path in (file, gone):
        path.write_text("as published")
    with unchanged():
        note(gone)
        gone.unlink()  # an old batch is removed by the newest

    def edit() -> None:
        with unchanged():
            note(file)
            file.write_text("by a person")

    with pytest.raises(BadData, match=rf"^{file}: it was changed while it was read"):
        edit()
    with unchanged():
        note(file)
        os.link(file, tmp_path / "linked")  # as the next batch has the same prices


def test_each_file_that_a_reader_compares_is_watched(ingested: Orchestrator) -> None:
    path, checksum = ingested.published["prices", FIRST]
    version = Version(ingested.data / path, checksum)
    with pytest.raises(BadData, match="it was changed while it was read"), unchanged():
        flipped(version.file("prices.parquet"))
