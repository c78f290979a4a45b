"""The pages of guides and deployment show the files and figures that are there."""

import json
import re

import pytest
import yaml

from bench.report import LATEST
from rankalpha.contract.checks import Facts
from rankalpha.contract.figures import reported
from rankalpha.stages import STAGES


@pytest.mark.parametrize(("language", "name"), [("python", "main.py"), ("dockerfile", "Dockerfile")])
def test_the_guide_shows_the_example_as_it_is(root, language, name):
    page = (root / "docs/guides/own-images.md").read_text()
    shown = re.search(rf"`examples/own-image/{name}`:\n\n```{language}\n(.*?)```", page, re.DOTALL)
    assert shown[1] == (root / "examples" / "own-image" / name).read_text()


def test_the_figures_that_a_contract_can_check_are_all_named(root):
    from rankalpha.contract import figures

    page = (root / "docs/guides/contracts.md").read_text()
    public = {
        name
        for name, value in vars(figures).items()
        if callable(value) and value.__module__ == figures.__name__ and not name.startswith("_")
    }
    assert public == set(re.findall(r"^\| `(\w+)\(", page, re.MULTILINE))
    assert reported("rows")(Facts(batch="", result={"rows": 3}, earlier={})) == 3


@pytest.fixture(scope="module")
def measured():
    """The newest figures of the benchmark by their names."""
    parts = json.loads(LATEST.read_text())
    return {figure["name"]: figure["median"] for part in parts.values() for figure in part["figures"]}


def test_the_requirements_are_those_that_were_measured(root, measured):
    page = (root / "docs/deploy/requirements.md").read_text()

    def shown(row, *names, digits=2, unit="", factor=1.0):
        (cell,) = re.findall(rf"(?m)^\| {re.escape(row)} \| (.+?) \|$", page)
        figures = [f"{measured[name] * factor:.{digits}f}{unit}" for name in names]
        return [figure for figure in figures if figure not in cell]

    gigabytes = {"unit": " GB", "factor": 0.001}
    seconds = {"digits": 0, "unit": " s"}
    idle, dags = "the idle embedded stack", "the idle DAG processor with 1, 10 and 100 markets"
    up = "first `make up`, with a warm package cache, until a batch is graded"
    composed = "`docker compose up` with built images, until healthy; until graded"
    api = "the image `rankalpha_api`, which is that of the stages too"
    wrong = [
        shown(f"{idle}, with API and page", "memory of the idle stack (PSS), RankAlpha", **gigabytes),
        shown("the idle containers", "memory of the idle containers", "largest of them", **gigabytes),
        shown(
            "a stage in flight, beside its own container",
            "memory of a stage in flight (PSS), RankAlpha",
            digits=1,
            unit=" MB",
        ),
        shown(idle, "CPU of the idle stack, RankAlpha", unit=" cores"),
        shown(
            dags, *(f"CPU of the idle dag-processor, {n}" for n in ("1 market", "10 markets", "100 markets"))
        ),
        shown("reading the DAG files", "all of RankAlpha's DAG files, CPU", digits=1, unit=" s"),
        shown(
            "what orchestration adds to a batch of four stages",
            "over the floor, RankAlpha",
            digits=1,
            unit=" s",
        ),
        shown("the image `rankalpha_airflow`", "size of the image rankalpha_airflow", **gigabytes),
        shown(api, "size of the image rankalpha_api", **gigabytes),
        shown(up, "make up, until graded", "of it: install", **seconds),
        shown(composed, "docker compose up, until healthy", "docker compose up, until graded", **seconds),
    ]
    assert [figure for figures in wrong for figure in figures] == []


def test_the_limits_of_memory_are_those_of_the_declarations(root):
    page = (root / "docs/deploy/requirements.md").read_text()
    assert {stage.name: stage.memory for stage in STAGES} == {
        "ingestion": "1g",
        "scorer": "1g",
        "sentiment": "2g",
        "evaluation": "2g",
    }
    assert "by default 1 GB, and 2 GB for sentiment, evaluation and training" in page
    services = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    limits = [
        re.search(r"(\d+)([mg])\}?$", service["mem_limit"])
        for service in services.values()
        if "mem_limit" in service and "profiles" not in service
    ]
    total = sum(int(limit[1]) / (1024 if limit[2] == "m" else 1) for limit in limits)
    assert f"their sum is {total:g} GB" in page


def test_the_architecture_names_each_state_of_a_cell(root):
    states = (root / "rankalpha/web/page/static/states.js").read_text()
    words = re.findall(r'^  \w+: \["([\w ]+)"', states, re.MULTILINE)
    assert {"Done", "Blocked"} <= set(words)
    page = (root / "docs/explain/architecture.md").read_text().partition("## The states of a cell")[2]
    picture, _, table = page.partition("| state | who acts")
    assert [word for word in words if f'["{word}"]' not in picture or word not in table] == []


def test_the_picture_of_the_walls_has_each_network(root):
    networks = yaml.safe_load((root / "docker-compose.yml").read_text())["networks"]
    page = (root / "docs/security/model.md").read_text()
    assert [name for name in networks if f'["{name}' not in page] == []


def test_the_upgrade_names_each_old_name_that_is_refused(root):
    from rankalpha.stack.upgrade import RENAMED

    page = (root / "docs/operate/upgrade.md").read_text()
    assert [old for old in RENAMED if old.rpartition(".")[0] not in page and old not in page] == []
