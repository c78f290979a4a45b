"""The operators' pages name what the page shows, and the files that are there."""

import json
import re

import pytest

from rankalpha.settings import Settings
from rankalpha.stages.env_file import read_env_file


def test_each_state_of_a_cell_is_explained(root):
    script = (root / "rankalpha/web/page/static/states.js").read_text()
    words = re.findall(r'(?m)^  \w+: \["([^"]+)"', script)
    page = (root / "docs/operate/page.md").read_text()
    table = page.split("## The states of a cell")[1].split("\n## ")[0]
    assert words
    assert re.findall(r"(?m)^\| ([A-Z][\w ]+) \|", table) == words


def test_each_log_of_the_embedded_stack_lies_where_the_page_says(root):
    conf = (root / "rankalpha/stack/embedded/supervisord.conf").read_text()
    folders = set(re.findall(r"stdout_logfile=%\(ENV_RANKALPHA_STACK\)s/(\w+)/", conf))
    assert folders == {"logs"}
    assert set(re.findall(r"stdout_logfile_maxbytes=(\w+)", conf)) == {"10MB"}
    assert set(re.findall(r"stdout_logfile_backups=(\w+)", conf)) == {"2"}
    page = (root / "docs/operate/logs.md").read_text()
    assert "`.rankalpha/logs`" in page
    assert "| a file of a component (embedded) | 10 MB, and two older files |" in page


def test_the_lines_that_connect_the_channels_of_alerts_can_be_used(root, tmp_path):
    page = (root / "docs/operate/alerts.md").read_text()
    (tmp_path / "airflow.env").write_text(re.search(r"(?s)```text\n(.*?)```", page)[1])
    given, example = read_env_file(tmp_path / "airflow.env"), (root / "env/example/airflow.env").read_text()
    for key, value in given.items():
        assert f"# {key}=" in example
        if key.startswith("AIRFLOW_CONN_"):
            usual = re.search(rf"(?m)^# {key}=(.*)$", example)[1]
            assert json.loads(value).keys() == json.loads(usual).keys()
    assert len(given) == 3


@pytest.mark.parametrize("limit", ["finished_within", "graded_within", "started_within"])
def test_the_limits_are_those_of_the_settings(root, limit):
    row = f"| `RANKALPHA_{limit.upper()}`, {getattr(Settings(), limit):g} minutes |"
    assert row in (root / "docs/operate/alerts.md").read_text()
