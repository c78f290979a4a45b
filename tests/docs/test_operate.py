"""The operators' pages name what the page shows, and the files that are there."""

import re


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
