"""What is restored where: kinds of stacks, keys and volumes; data are replaced as a whole."""

import pytest

from rankalpha.settings import SettingsError, settings
from rankalpha.stack.backup.database import Database
from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.backup.files import Data
from rankalpha.stack.backup.form import DUMP, END, KEYS, About, Contents
from rankalpha.stack.backup.half import marked, refuse_half
from rankalpha.stack.backup.place import Place, fingerprints
from rankalpha.stack.backup.writing import written

OURS, OTHER = "our-key", "another-key"


def place(tmp_path, *, keys=True, fernet=OURS, stack="embedded"):
    file = tmp_path / "keys.env" if keys else None
    data = Data(tmp_path / "data", volumes_only=stack == "containers")
    return Place(stack, Database("postgresql+psycopg2:///none"), data, fernet, file)


def found(*, fernet=OURS, keys=True, stack="embedded", folders=()):
    members = frozenset((DUMP, END, *((KEYS,) if keys else ())))
    return Contents(About(stack, "", fingerprints(fernet)), members, frozenset(folders))


@pytest.mark.parametrize(
    ("ours", "brought"),
    [
        ({}, {"fernet": OTHER}),  # it brings its keys to a stack that makes its own
        ({"keys": False}, {"keys": False}),
        ({"keys": False, "fernet": f"{OTHER},{OURS}"}, {"keys": False}),  # rotated meanwhile
        ({"keys": False}, {"keys": True}),
    ],
    ids=["brings its keys", "the profile's key", "rotated", "the same key"],
)
def test_a_backup_whose_secrets_can_be_read_here_is_restored(tmp_path, ours, brought):
    place(tmp_path, **ours).check(tmp_path / "b.tar.gz", found(**brought))


@pytest.mark.parametrize(
    ("ours", "brought"),
    [
        ({"keys": False}, {"keys": False, "fernet": OTHER}),
        ({"keys": False}, {"keys": True, "fernet": OTHER}),  # the profile's key wins
        ({}, {"keys": False, "fernet": OTHER}),
        ({"keys": False}, {"keys": False, "fernet": f"{OURS},{OTHER}"}),
    ],
    ids=["another profile", "keys of its own", "keys of a profile", "one of two"],
)
def test_one_whose_secrets_nobody_could_read_is_refused(tmp_path, ours, brought):
    with pytest.raises(BackupError, match=r"b.tar.gz were encrypted with another key") as refused:
        place(tmp_path, **ours).check(tmp_path / "b.tar.gz", found(**brought))
    assert OURS not in str(refused.value)


def test_one_of_the_other_kind_of_stack_is_refused(tmp_path):
    with pytest.raises(BackupError, match="made of the containers stack; this is the embedded stack"):
        place(tmp_path).check(tmp_path / "b.tar.gz", found(stack="containers"))


def test_data_that_no_volume_takes_are_refused_with_the_option_that_mounts_it(tmp_path):
    containers, brought = (
        place(tmp_path, stack="containers"),
        found(stack="containers", folders=["prices_nyse"]),
    )
    with pytest.raises(BackupError, match="`-v prices_nyse:/data/prices_nyse`"):
        containers.check(tmp_path / "b.tar.gz", brought)


@pytest.fixture
def backed_up(tmp_path):
    """A backup of a folder of data, which then goes on."""
    data = tmp_path / "data"
    (data / "prices").mkdir(parents=True)
    (data / "prices" / "old").write_text("old")
    (data / "prices" / ".restoring").mkdir()  # as a volume had it when a restore was killed
    with written(tmp_path / "b.tar.gz", About("embedded", "", [])) as writer:
        writer.text(DUMP, "")
        Data(data).save(writer)
    (data / "prices" / "old").write_text("changed")
    (data / "grades").mkdir()
    return data


def test_data_are_replaced_and_nothing_else_stays(tmp_path, backed_up):
    (backed_up / ".replaced").mkdir()  # of a restore that was killed
    data = Data(backed_up)
    with data.staged(tmp_path / "b.tar.gz"):
        assert (backed_up / "prices" / "old").read_text() == "changed"
        data.swap()
    assert [str(path.relative_to(backed_up)) for path in sorted(backed_up.rglob("*"))] == [
        "prices",
        "prices/old",
    ]
    assert (backed_up / "prices" / "old").read_text() == "old"


def test_a_restore_that_fails_before_the_swap_changes_nothing(tmp_path, backed_up):
    with pytest.raises(BackupError, match="the database"), Data(backed_up).staged(tmp_path / "b.tar.gz"):
        raise BackupError("the database")
    assert sorted(path.name for path in backed_up.iterdir()) == ["grades", "prices"]
    assert (backed_up / "prices" / "old").read_text() == "changed"


def test_a_password_is_not_on_the_command_line(tmp_path):
    with pytest.raises(BackupError, match="pg_dump has failed, and the database is as it was") as refused:
        Database("postgresql+psycopg2://airflow:top-secret@127.0.0.1:9/airflow").dump(
            (tmp_path / "x").open("w+b")
        )
    assert "top-secret" not in str(refused.value)
    assert "port 9" in str(refused.value)


def test_what_a_key_is_recognised_by_does_not_give_it_away():
    (one, other) = fingerprints(f"{OURS},{OTHER}")
    assert one != other
    assert len(one) == 16
    assert fingerprints("") == []


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    monkeypatch.setenv("RANKALPHA_STACK", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_restore_that_is_interrupted_in_between_keeps_the_stack_from_starting(embedded, tmp_path):
    refuse_half()
    with pytest.raises(KeyboardInterrupt), marked():
        raise KeyboardInterrupt
    with pytest.raises(SettingsError, match=r"a restore was interrupted.*`make restore FILE=FILE`"):
        refuse_half()
    with marked():  # it is done again
        pass
    refuse_half()


def test_one_that_has_replaced_nothing_does_not(embedded):
    with pytest.raises(BackupError), marked():
        raise BackupError("psql has failed")
    refuse_half()
