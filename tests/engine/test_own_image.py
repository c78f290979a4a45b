"""The example of an image of one's own, built as its guide says, as a stage in a container."""

import json
import shlex
from dataclasses import replace

import pytest

from datasets.sentiment import SENTIMENT_CONTRACT
from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.result import parse_result
from tests.engine.stage_jobs import KEY, Jobs
from tests.support.checkout import ROOT
from tests.support.engine import labels
from tests.support.stack import Stack

pytestmark = [
    pytest.mark.usefixtures("swept", "way"),
    pytest.mark.parametrize("way", ["socket"], indirect=True),
]
GUIDE = (ROOT / "docs/guides/own-images.md").read_text()
SCREENED = {
    "as_of": "2026-11-20",
    "appearances": [{"symbol": "AAPL"}, {"symbol": "BRK-B"}, {"symbol": "AAPL"}],
}
WRITE = """
import os, pathlib, sys
pathlib.Path(f"/data/prices/{os.environ['RANKALPHA_BATCH']}").mkdir(exist_ok=True)
pathlib.Path(f"/data/prices/{os.environ['RANKALPHA_BATCH']}/appearances.json").write_text(sys.argv[1])
os.chmod("/data/company_reports", 0o777)  # as the reference image makes it
"""


@pytest.fixture
def image(engine, session):
    """The image of the guide's second step, under a name of this session."""
    line = next(line for line in GUIDE.splitlines() if line.startswith("$ docker build -t "))
    name = f"{session}-own:1"
    *_, folder = shlex.split(line)
    marks = [f"--label={key}={value}" for key, value in labels().items()]
    done = Stack(ROOT).run("docker", "build", "--tag", name, *marks, folder)
    assert done.returncode == 0, done.stdout
    yield name
    engine.remove_image(name, force=True)


@pytest.fixture
def stage_jobs(engine, demo, session):
    """Jobs of a stage with the two volumes that sentiment has, of its own."""
    names = {target: f"{session}-{target}" for target in ("prices", "company_reports")}
    for name in names.values():
        engine.create_volume(name, labels=labels())
    volumes = tuple(Volume(name, f"/data/{target}") for target, name in names.items())
    yield Jobs(replace(demo, docker=DockerOptions(network=session, volumes=volumes)), session)
    for name in names.values():
        for container in engine.containers(all=True, filters={"volume": name}):
            engine.remove_container(container["Id"], force=True, v=True)
        engine.remove_volume(name)


def test_it_rates_the_batch_that_it_is_given(stage_jobs, image):
    command = next(line for line in GUIDE.splitlines() if line.startswith("SENTIMENT_COMMAND="))
    write = shlex.join(["python", "-c", WRITE, json.dumps(SCREENED)])
    earlier = stage_jobs.identity(group=2)  # of an earlier try group, whose container is not adopted
    assert stage_jobs.ended(stage_jobs.run(write, earlier), group=2).status == 0
    own = stage_jobs.run(command.partition("=")[2], image=image)
    result = parse_result(stage_jobs.result(own), KEY)
    assert (result["rows"], result["as_of"]) == (2, "2026-11-20")
    outcomes = SENTIMENT_CONTRACT.evaluate(KEY, result, {}, required=True)
    assert [outcome for outcome in outcomes if not outcome["passed"]] == []
