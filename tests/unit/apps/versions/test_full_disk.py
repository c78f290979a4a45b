"""A disk that is full in the middle of a write: nothing half is left, and the next attempt works.

A limit of each file's length stands for it, which every user can set.
"""

import os
import re
import resource
from pathlib import Path

import httpx
import psutil
import pytest

from tests.unit.apps.support.local_servers import service
from tests.unit.apps.support.published import FIRST, Orchestrator, content

BYTES = 1_000
REFRESH = "/api/v1/grading/refresh"


@pytest.fixture
def graded(ingested: Orchestrator) -> Orchestrator:
    """Return the orchestrator with a batch that has everything but an evaluation."""
    for dataset in ("scores", "sentiment"):
        ingested.publish(dataset)
    ingested.grade()
    return ingested


@pytest.mark.parametrize("dataset", ["prices", "scores", "sentiment", "evaluations"])
def test_a_stage_names_the_file_and_removes_what_it_has_begun(graded: Orchestrator, dataset: str) -> None:
    before = content(graded.data)
    done = graded.run(dataset, TESTS_FILE_BYTES=str(BYTES))
    assert done.returncode == os.EX_IOERR, done.stderr
    (told,) = done.stderr.splitlines()
    named = rf"{re.escape(str(graded.data))}/\S+ cannot be written: .*File too large.*; free space"
    assert re.search(named, told)
    assert content(graded.data) == before
    graded.publish(dataset)


def test_the_api_names_the_file_and_shows_the_grades_as_before(graded: Orchestrator, tmp_path: Path) -> None:
    inputs = {
        of: dict(zip(("path", "sha256"), graded.published[of, FIRST], strict=True))
        for of in ("scores", "sentiment")
    }
    asked = {"batch": FIRST, "version": "grading-0a1b2c3d-9", "inputs": inputs}
    before = content(graded.data)
    with service("api", tmp_path.with_suffix(".log"), RANKALPHA_DATA_DIR=str(graded.data)) as url:
        process = max(psutil.Process().children(), key=psutil.Process.create_time)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (BYTES, resource.RLIM_INFINITY))
        refused = httpx.post(url + REFRESH, json=asked, trust_env=False)
        after = content(graded.data)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        made = httpx.post(url + REFRESH, json={**asked, "version": "grading-0a1b2c3d-10"}, trust_env=False)
    assert (refused.status_code, refused.headers["content-type"]) == (500, "application/problem+json")
    assert "grades.json cannot be written: File too large; free space on its disk" in refused.json()["detail"]
    assert after == before
    assert (made.status_code, made.json()["graded"]) == (200, 5)
