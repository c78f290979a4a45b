"""The report on known vulnerabilities; see scripts/audit.py."""

import os
import subprocess
import sys

import pytest

from scripts.audit import ALL, FIRST, NotAudited, audit, packages, report

FOUND = [  # in pip-audit's own form
    {
        "name": "demo",
        "version": "1.0",
        "vulns": [
            {"id": "PYSEC-2026-1", "fix_versions": ["1.1", "2.0"], "aliases": [], "description": "bad"},
            {"id": "GHSA-xxxx", "fix_versions": [], "aliases": [], "description": "worse"},
        ],
    },
    {"name": "fine", "version": "2.0", "vulns": []},
    {"name": "unknown", "skip_reason": "Dependency not found"},
]


def test_a_report_names_what_to_upgrade_and_where_it_is_used():
    assert report(FOUND, {"airflow": {"demo", "fine"}, "dev": {"demo"}}) == [
        "demo 1.0 (airflow, dev): PYSEC-2026-1, fixed in 1.1, 2.0",
        "demo 1.0 (airflow, dev): GHSA-xxxx, fixed in none yet",
        "unknown: not audited",
        "2 packages audited, 2 vulnerabilities known, 1 not audited",
    ]


def test_one_file_holds_every_package_that_is_locked():
    found = packages()
    assert "apache-airflow" in found["airflow"]
    assert all(names <= found[ALL] for names in found.values())
    assert len(found[FIRST]) < 20


def test_no_answer_is_told_from_no_vulnerability(monkeypatch, tmp_path):
    """What pip-audit calls `No known vulnerabilities found` when it was told nothing."""
    monkeypatch.setattr("scripts.audit.PIP_AUDIT", (sys.executable, "-c", NOBODY_KNOWS))
    with pytest.raises(NotAudited, match=r"knows none of the packages of requirements/build\.txt"):
        audit(FIRST)
    monkeypatch.setattr("scripts.audit.PIP_AUDIT", (sys.executable, "-c", "raise SystemExit('no route')"))
    with pytest.raises(NotAudited, match="no route"):
        audit(FIRST)


NOBODY_KNOWS = """print('{"dependencies": [{"name": "demo", "skip_reason": "not found"}], "fixes": []}')"""


def test_where_nobody_answers_the_report_says_so_and_does_not_fail(root):
    nowhere = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, root / "scripts/audit.py"], env=nowhere, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "NOTHING WAS AUDITED" in done.stdout
    assert "packages audited" not in done.stdout
