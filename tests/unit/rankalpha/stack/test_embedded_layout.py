"""Where the embedded stack refuses to keep its state, before anything is made or started."""

import os
from contextlib import nullcontext

import pytest

from rankalpha.settings import SettingsError, StackSettings
from rankalpha.stack.embedded.layout import Layout


@pytest.fixture
def layout(tmp_path, monkeypatch):
    """A layout whose state folder is a path below an empty folder."""

    def made(name):
        monkeypatch.setenv("RANKALPHA_STATE_DIR", f"{tmp_path}/{name}")
        return Layout(StackSettings.load())

    return made


@pytest.mark.parametrize(
    "name", ["a b", "50%", "cost$HOME", "it's", 'so "called"', "a,b", "a;b", "a+b", "a\nb", "a#b"]
)
def test_a_path_that_others_would_read_otherwise_is_refused(layout, tmp_path, name):
    with pytest.raises(SettingsError, match="RANKALPHA_STATE_DIR") as refused:
        layout(name).prepare()
    assert len(str(refused.value).splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_where_a_link_leads_counts(layout, tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a b")
    with pytest.raises(SettingsError, match="because its path contains ' '"):
        layout("link").prepare()


@pytest.mark.parametrize("name", ["plain", "mit-Ümlaut_1.2", "日本"])
def test_letters_of_all_languages_are_fine(layout, tmp_path, name):
    layout(name).prepare()
    assert (tmp_path / name / "logs").is_dir()


def test_a_folder_that_cannot_be_made_is_named(layout, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        SettingsError, match="Not a directory; choose another folder with RANKALPHA_STATE_DIR"
    ):
        layout("file/state").prepare()


@pytest.mark.parametrize(("folder", "says"), [("a b", "contains ' '"), ("long" * 30, "too long for sockets")])
def test_the_folder_of_sockets_is_looked_at_too(layout, tmp_path, monkeypatch, folder, says):
    (tmp_path / folder).mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: os.fspath(tmp_path / folder))
    with pytest.raises(SettingsError, match=f"{says}.*set TMPDIR"):
        layout("state").prepare()
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("name", "refused"), [("r o'ot#1", False), ("50%", True), ("cost$HOME", True), ("a[1]", True)]
)
def test_the_path_of_the_checkout_may_hold_all_that_nobody_expands(
    layout, tmp_path, monkeypatch, name, refused
):
    monkeypatch.setattr("rankalpha.stack.embedded.layout.ROOT", tmp_path / name)
    with pytest.raises(SettingsError, match="the checkout") if refused else nullcontext():
        layout("state").prepare()
    assert (tmp_path / "state").exists() is not refused
