"""The documentation as a site: built strictly, and read without any network."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from playwright.sync_api import expect

LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
ELSEWHERE = re.compile(r"(?:[a-z]+:)?//")
PARTS = ("docs", "scripts/site", "rankalpha/web/page/static", "bench/results")
FILES = ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


def build(root, site):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(root, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(params=[("light", DESKTOP), ("dark", PHONE)], ids=["light desktop", "dark phone"])
def page(request, browser):
    scheme, size = request.param
    opened = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("request", lambda asked: opened.complaints.extend(re.findall(r"^(?:http|ws).*", asked.url)))
    yield opened
    assert opened.complaints == []
    opened.context.close()


class Loads(HTMLParser):
    """Collects what a page loads by itself: not what a reader may follow."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag in LOADING and found.get("rel") != "canonical":
            self.found.append(found.get(LOADING[tag]) or "")


def test_nothing_is_loaded_from_elsewhere(site):
    loads = []
    for file in site.rglob("*.html"):
        parser = Loads()
        parser.feed(file.read_text())
        loads += parser.found
    for file in site.rglob("*.css"):
        loads += re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", file.read_text())
    assert any("mermaid.min.js" in load for load in loads)
    assert [load for load in loads if ELSEWHERE.match("".join(load))] == []


@pytest.fixture
def copy(root, tmp_path):
    for part in PARTS:
        shutil.copytree(root / part, tmp_path / part)
    for name in FILES:
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


NOWHERE = {  # what is added to a page, and what the build says of it
    "docs/lost.md": ("# Lost\n", 'not included in the "nav"'),
    "docs/glossary.md": ("[a page](nowhere.md)\n", "'nowhere.md'"),
    "README.md": ("[an anchor](docs/glossary.md#nothing)\n", "'glossary.md#nothing'"),
}


def test_what_leads_nowhere_is_refused(copy):
    for name, (text, _) in NOWHERE.items():
        with (copy / name).open("a") as file:
            file.write(f"\n{text}")
    done = build(copy, copy / "site")
    assert done.returncode == 1
    for _, complaint in NOWHERE.values():
        assert complaint in done.stderr


def test_a_link_to_a_file_that_the_site_lacks_is_plain_text(copy):
    with (copy / "docs/glossary.md").open("a") as file:
        file.write("\nSee [the settings](../mkdocs.yml).\n")
    assert build(copy, copy / "site").returncode == 0
    assert "See the settings." in (copy / "site/glossary.html").read_text()


def test_each_item_of_a_numbered_list_is_one(site):
    """Markdown of the repository indents by three blanks, Python's by four."""
    text = (site / "guides/add-a-stage.html").read_text()
    items = re.findall(r"<li>\s*(?:<p>)?<strong>(\w+)", text)
    assert items[:2] == ["Step", "Declaration"]


def test_a_search_finds_a_setting_without_a_server(site, page):
    page.goto(f"file://{site}/index.html")
    if page.viewport_size == PHONE:
        page.locator("label[for=__search]").first.click()
    page.locator(".md-search__input").press_sequentially("keep log days")
    found = page.locator(".md-search-result__item", has_text="Settings of Airflow")
    expect(found.first).to_be_visible(timeout=20_000)


def test_the_diagram_is_drawn_and_pages_fit(site, page):
    page.goto(f"file://{site}/index.html")
    drawn = page.locator("div.mermaid")
    expect(drawn).to_be_visible(timeout=20_000)
    assert drawn.bounding_box()["height"] > 40
    for name in ("index.html", "reference/settings/airflow.html", "operate/runbook.html"):
        page.goto(f"file://{site}/{name}")
        beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(beyond) <= 0, name


def test_the_theme_follows_the_system_until_a_reader_chooses(site, browser):
    page = browser.new_context(color_scheme="dark").new_page()
    page.goto(f"file://{site}/index.html")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.locator("label[for=__palette_1]:visible").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "default")
    page.context.close()
