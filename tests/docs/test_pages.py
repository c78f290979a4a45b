"""The pages lead to each other, and what they name exists."""

import re

import pytest

from rankalpha.settings import DeploymentSettings, Settings, StackSettings

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"(?m)^#+ (.+)$")
FENCE = re.compile(r"(?ms)^```.*?^```")
MAKE = re.compile(r"(?m)(?:`|^\$ )make ([a-z-]+)")
LONGEST, LONGEST_README = 200, 150  # lines


@pytest.fixture(scope="module")
def pages(root):
    files = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
    return {file: file.read_text() for file in files}


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = (re.sub(r"[`*]", "", title).lower() for title in HEADING.findall(FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def links(text: str) -> list[str]:
    found = LINK.findall(FENCE.sub("", text))
    return [link for link in found if not link.startswith(("http://", "https://", "mailto:"))]


def test_every_link_leads_to_a_file_and_a_heading(pages, root):
    broken = []
    for file, text in pages.items():
        for link in links(text):
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            known = anchors(target.read_text()) if anchor and target.is_file() else {anchor}
            if not target.exists() or anchor not in known:
                broken.append(f"{file.relative_to(root)}: {link}")
    assert broken == []


def test_every_page_is_reached_from_the_readme(pages, root):
    reached, ahead = set(), [root / "README.md"]
    while ahead:
        file = ahead.pop()
        if file in reached or file not in pages:
            continue
        reached.add(file)
        ahead += [(file.parent / link.partition("#")[0]).resolve() for link in links(pages[file])]
    assert set(pages) - reached == set()


def test_pages_are_short(pages, root):
    for file, text in pages.items():
        bound = LONGEST_README if file == root / "README.md" else LONGEST
        assert len(text.splitlines()) <= bound, file


def test_targets_of_make_exist(pages, root):
    known = set(re.findall(r"(?m)^([a-z-]+):", (root / "Makefile").read_text()))
    named = {target for text in pages.values() for target in MAKE.findall(text)}
    assert named - known == set()
    assert "up" in named


def test_settings_exist(pages, root):
    fields = (*Settings.model_fields, *DeploymentSettings.model_fields, *StackSettings.model_fields)
    known = {f"RANKALPHA_{name.upper()}" for name in fields}
    known |= set(re.findall(r"RANKALPHA_[A-Z_]+", (root / "env/example/airflow.env").read_text()))
    known |= set(re.findall(r"RANKALPHA_[A-Z_]+", (root / "env/example/compose.env").read_text()))
    known |= {"RANKALPHA_BATCH", "RANKALPHA_DATE", "RANKALPHA_RESULT"}  # a stage's own
    known |= {
        f"RANKALPHA_{name}"
        for name in ("CALENDAR", "OUTPUT", "INPUT_PRICES", "INPUT_PRICES_SHA256", "EARLIER_PRICES", "KEEP")
    }
    named = {name for text in pages.values() for name in re.findall(r"RANKALPHA_[A-Z_]*[A-Z]\b(?!_)", text)}
    assert named - known == set()
    assert "RANKALPHA_RETRIES" in named


def test_each_rule_of_prometheus_leads_to_its_heading_in_the_runbook(root):
    rules = (root / "docs/monitoring/rules.yml").read_text()
    names = re.findall(r"alert: (\w+)", rules)
    assert names
    links = re.findall(r"runbook: (\S+)", rules)
    assert links == [f"docs/operate/runbook.md#{name.lower()}" for name in names]
    headings = anchors((root / "docs/operate/runbook.md").read_text())
    assert [name for name in names if name.lower() not in headings] == []


def test_the_map_of_the_code_names_what_is_there(root):
    text = (root / "docs/code.md").read_text()
    floors, found = text.split("| to find | open |")
    named = set(re.findall(r"`([a-z_]+(?:/|\.py))`", floors.split("| floor |")[1]))
    there = {f"{path.name}/" if path.is_dir() else path.name for path in (root / "rankalpha").iterdir()}
    assert named == there - {"__init__.py", "__pycache__/"}
    files = re.findall(r"`([a-z_/]+(?:/|\.py))`", found)
    places = (root / "rankalpha", root)
    assert [file for file in files if not any((place / file).exists() for place in places)] == []
