"""The reference is what the code says."""

import re
import subprocess
import sys

import pytest

from scripts.reference.markdown import prose, table
from scripts.reference.settings import sections


def test_the_pages_are_as_the_code(root):
    done = subprocess.run(
        [sys.executable, "-m", "scripts.reference", "--check"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def reference(root):
    return "\n".join(file.read_text() for file in (root / "docs/reference").rglob("*.md"))


def test_each_setting_target_metric_alert_and_dataset_has_its_place(root, reference):
    env = "".join(file.read_text() for file in (root / "env/example").glob("*.env"))
    named = set(re.findall(r"(?m)^(?:# )?([A-Z][A-Z0-9_]*)=", env))
    named |= {
        f"make {target}" for target in re.findall(r"(?m)^([a-z-]+):.*##", (root / "Makefile").read_text())
    }
    named |= {file.stem for file in (root / "datasets").glob("[a-z]*.py")}
    dags = {file.stem for file in (root / "dags").glob("*.py")} - {"comparison"}  # a variant's alone
    named |= {f"rankalpha_{name}" for name in (*dags, "challenger_comparison")}
    rules = (root / "docs/monitoring/rules.yml").read_text()
    named |= set(re.findall(r"alert: (\w+)", rules)) | set(re.findall(r"\brankalpha_\w+", rules))
    assert {"RANKALPHA_RETRIES", "make up", "prices", "rankalpha_grading", "rankalpha_incidents"} <= named
    known = set(re.findall(r"make [a-z-]+|\w+", reference))
    assert named - known == set()


def test_a_key_has_the_comment_above_it():
    text = "# Of all.\n\n# --- Size; read once ----\n# Rows.\n# At most.\n# ROWS=3\nSIGN=a=b\n"
    first, size = sections(text)
    assert first.notes == ["Of all."]
    assert size.title == "Size; read once"
    assert size.keys == [("ROWS", "3", "Rows. At most."), ("SIGN", "a=b", "")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Set A_KEY=<value>, see env/<profile>/a.env.", "Set `A_KEY=<value>`, see `env/<profile>/a.env`."),
        ("`A_KEY` is code already", "`A_KEY` is code already"),
        ("JSON and UTC are words", "JSON and UTC are words"),
    ],
)
def test_names_in_comments_become_code(text, shown):
    assert prose(text) == shown


def test_a_table_has_no_empty_columns_and_keeps_its_bars():
    assert table(("a", "b", "c"), [("x|y", "", "z")]) == "| a | c |\n| --- | --- |\n| x\\|y | z |"
    assert table(("a",), []) == ""
