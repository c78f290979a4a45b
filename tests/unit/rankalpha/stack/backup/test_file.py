"""The file of a backup: what was written is read again, and what is not whole is refused."""

import gzip
import io
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.backup.form import DUMP, About
from rankalpha.stack.backup.reading import contents, copy_member, extract_data
from rankalpha.stack.backup.writing import written

ABOUT = About("embedded", "2026-11-22T06:00:00", ["0123456789abcdef"])
DAYS = ("2026-11-22T06:00:00", "2026-11-23T06:00:00")
SQL = "SELECT 1;\n"


@pytest.fixture
def data(tmp_path):
    """Folders and files as stages leave them."""
    folder = tmp_path / "stack" / "prices"
    (folder / "2026-11-22T06:00:00" / "vide é").mkdir(parents=True)
    file = folder / "2026-11-22T06:00:00" / "prices.parquet"
    file.write_bytes(os.urandom(300_000))
    file.chmod(0o444)
    if os.geteuid() == 0:
        os.chown(file, 4321, 4321)  # the user of some image
    os.utime(file, (1, 1_700_000_000))
    (folder / "2026-11-23T06:00:00").mkdir(mode=0o500)
    folder.joinpath("2026-11-23T06:00:00").chmod(0o700)
    os.link(file, folder / "2026-11-23T06:00:00" / "prices.parquet")
    (folder / "newest").symlink_to("2026-11-23T06:00:00")
    (folder / ".restoring").mkdir()  # of a restore that was killed
    return folder


def backup(file, data=None, about=ABOUT, name="data/prices"):
    with written(file, about) as writer:
        writer.text(DUMP, SQL)
        if data:
            writer.tree(data, name, {".restoring"})
    return file


def tree(folder):
    """What lies below a folder: kinds, modes, times, owners and contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (
            status.st_mode,
            int(status.st_mtime) if path.is_file() else None,
            status.st_uid,
            content,
        )
    return found


def test_what_was_written_is_read_again_with_modes_times_and_links(tmp_path, data):
    file = backup(tmp_path / "all.tar.gz", data)
    found = contents(file)
    assert (found.about, found.folders) == (ABOUT, {"prices"})
    copy = io.BytesIO()
    copy_member(file, DUMP, copy)
    assert copy.read().decode() == SQL
    target = tmp_path / "other"
    extract_data(file, target, {"prices": "prices/.new"}, ".elsewhere")
    (data / ".restoring").rmdir()
    assert tree(target / "prices" / ".new") == tree(data)
    one, other = (target / "prices" / ".new" / day / "prices.parquet" for day in DAYS)
    assert one.samefile(other)


def test_only_its_owner_can_read_it_and_nothing_else_is_left(tmp_path):
    file = backup(tmp_path / "all.tar.gz")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "all.tar.gz").write_text("precious")
    with pytest.raises(BackupError, match=r"all.tar.gz exists already; name another"):
        backup(tmp_path / "all.tar.gz")
    assert (tmp_path / "all.tar.gz").read_text() == "precious"


def test_a_backup_that_fails_leaves_nothing_and_the_next_one_is_made(tmp_path):
    file = tmp_path / "all.tar.gz"
    with pytest.raises(BackupError, match="no database"), written(file, ABOUT):
        raise BackupError("no database")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "all.tar.gz.part").write_text("half")  # of one that was killed
    assert contents(backup(file)).about == ABOUT


@pytest.mark.parametrize("part", [0, 0.2, 0.5, 0.9, 0.999, "all but one byte"])
def test_a_truncated_one_is_refused(tmp_path, data, part):
    file = backup(tmp_path / "all.tar.gz", data)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] if isinstance(part, str) else whole[: int(len(whole) * part)])
    with pytest.raises(BackupError, match=r"all.tar.gz (is damaged|is not whole|is not a backup)"):
        contents(file)


def test_one_that_was_cut_between_two_files_is_refused(tmp_path, data):
    """As a whole archive it would pass: the last member is missing."""
    file = tmp_path / "cut.tar.gz"
    with tarfile.open(backup(tmp_path / "all.tar.gz", data)) as whole, tarfile.open(file, "w:gz") as cut:
        for member in whole.getmembers()[:-1]:
            cut.addfile(member, whole.extractfile(member) if member.isfile() else None)
    with pytest.raises(BackupError, match="is not whole: its end is missing"):
        contents(file)


def test_a_flipped_byte_is_noticed(tmp_path, data):
    file = backup(tmp_path / "all.tar.gz", data)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(BackupError, match="is damaged"):
        contents(file)


def tar_of(name, content=b"{}"):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just text",
        gzip.compress(b"just text"),
        tar_of("holiday.jpg"),
        tar_of("about.json"),
        tar_of("about.json", b"[]"),
        tar_of("about.json", b'{"format": "new", "rankalpha": "0", "airflow": "0"}'),
    ],
    ids=["empty", "text", "gzip", "tar", "says nothing", "says no object", "says no version"],
)
def test_something_else_is_refused(tmp_path, content):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(BackupError, match=r"other is (damaged, or is )?not a backup of RankAlpha"):
        contents(tmp_path / "other")


@pytest.mark.parametrize("newer", [{"airflow": "99.1.0rc1"}, {"rankalpha": "9.0"}, {"format": 2}], ids=str)
def test_one_of_a_newer_version_is_refused_with_the_version(tmp_path, newer):
    file = backup(tmp_path / "all.tar.gz", about=About("embedded", "", [], **newer))
    with pytest.raises(
        BackupError, match=rf"newer version \(\w+ {next(iter(newer.values()))}, here .*take that"
    ):
        contents(file)


def test_one_of_an_older_version_is_fine(tmp_path):
    older = About("embedded", "", [], airflow="3.0.0", rankalpha="0.0.1")
    assert contents(backup(tmp_path / "all.tar.gz", about=older)).about == older


def test_a_name_that_leads_out_of_it_is_refused(tmp_path, data):
    file = backup(tmp_path / "all.tar.gz", data, name="data/../../etc")
    with pytest.raises(BackupError, match="leads out of it"):
        contents(file)


def test_a_missing_one_is_refused(tmp_path):
    with pytest.raises(BackupError, match=r"all.tar.gz does not exist"):
        contents(tmp_path / "all.tar.gz")


def test_a_file_that_has_less_than_it_said_ends_the_backup(tmp_path):
    """Of sysfs each file says that it has a page, and has a few bytes."""
    with pytest.raises(BackupError, match="mtu became shorter"):
        backup(tmp_path / "all.tar.gz", Path("/sys/class/net/lo/mtu"))
    assert list(tmp_path.iterdir()) == []


LIMITED = """
import resource, sys
from pathlib import Path
from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.backup.files import Data
from tests.unit.rankalpha.stack.backup.test_file import backup
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
what, file, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
try:
    if what == "backup":
        backup(file, folder)
    else:
        with Data(folder).staged(file):
            pass
except BackupError as error:
    print(error)
"""


def full(root, what, file, folder):
    """Do so in a process that may write no file of more than 100 kB, as on a full disk."""
    command = [sys.executable, "-c", LIMITED, what, file, folder]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_full_disk_ends_a_backup_and_nothing_is_left(root, tmp_path, data):
    said = full(root, "backup", tmp_path / "backups.tar.gz", data)
    assert "backups.tar.gz: File too large; nothing is left" in said
    assert list(tmp_path.iterdir()) == [data.parent]


def test_a_full_disk_ends_a_restore_and_all_is_as_it_was(root, tmp_path, data):
    file, before = backup(tmp_path / "all.tar.gz", data), tree(data)
    said = full(root, "restore", file, data)
    assert "cannot write the data" in said
    before.pop(".restoring")  # what an earlier restore has left goes
    assert tree(data) == before
