"""Which Python `make` installs with: the machine's own, another one in the range, or a clear error."""

import os
import shutil
import subprocess
import sys

import pytest

# runs code as a Python of another version would, and makes environments that hold nothing but itself
PYTHON = """#!/bin/sh
case "$1 $2" in
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && echo "made by $0" ;;
    "-m pip") ;;
    *) exec {python} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2" ;;
esac
"""


@pytest.fixture
def install(tmp_path, root):
    """Return a function that runs `make .venv/build` where PATH has Pythons, by name and version."""

    def run(*arguments, **versions):
        programs = tmp_path / "bin"
        programs.mkdir()
        for name, version in versions.items():
            program = programs / name.replace("_", ".")
            program.write_text(PYTHON.format(python=sys.executable, version=version))
            program.chmod(0o755)
        for name in ("sh", "mkdir", "cp", "touch"):
            (programs / name).symlink_to(shutil.which(name))
        for name in ("Makefile", "requirements"):
            (tmp_path / name).symlink_to(root / name)
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "PYTHON"))
        }
        return subprocess.run(
            [shutil.which("make"), ".venv/build", *arguments],
            cwd=tmp_path,
            env=environment | {"PATH": str(programs)},
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_python3_is_taken_when_it_is_in_the_range(install, minor):
    done = install(python3=(3, minor, 0), python3_12=(3, 12, 0))
    assert done.returncode == 0, done.stderr
    assert "/bin/python3\n" in done.stdout


@pytest.mark.parametrize("minor", [10, 15])
def test_a_python3_outside_of_the_range_gives_way_to_the_newest_in_it(install, minor):
    done = install(python3=(3, minor, 0), python3_11=(3, 11, 0), python3_13=(3, 13, 0))
    assert done.returncode == 0, done.stderr
    assert "/bin/python3.13\n" in done.stdout


def test_without_any_in_the_range_it_is_said_which_are(install):
    done = install(
        python3=(3, 10, 0), python3_13=(3, 9, 0)
    )  # such as a shim that another version answers for
    assert done.returncode == 2
    assert "Python 3.11 to 3.14 is needed, and PATH has none" in done.stderr


def test_the_one_that_is_named_is_not_replaced_by_another(install):
    done = install("PYTHON=python3", python3=(3, 10, 0), python3_13=(3, 13, 0))
    assert done.returncode == 2
    assert "and python3 is another one" in done.stderr
