"""What stands for the image of a process: another digest whenever it would run other code."""

import pytest

from rankalpha.runners.process import ProcessRunner
from tests.unit.rankalpha.support.demo_stage import job


@pytest.fixture
def code(app_dir):
    """Return the digest of a job's code."""
    (app_dir / "apps").mkdir()
    return lambda **parts: ProcessRunner().fingerprint(job(**parts))


@pytest.mark.parametrize("path", ["apps/new.py", "apps/data.json", "main.py"])
def test_a_file_of_apps_and_one_that_the_command_names_count(code, app_dir, path):
    before = code()
    assert code() == before
    (app_dir / path).write_text("1")
    assert code() != before


@pytest.mark.parametrize("path", ["apps/__pycache__/new.pyc", "other.py"])
def test_other_files_do_not(code, app_dir, path):
    before = code()
    (app_dir / path).parent.mkdir(exist_ok=True)
    (app_dir / path).write_text("1")
    assert code() == before
