"""The glossary has a word for each folder of the package, and names nothing that does not exist."""

import re

import pytest

NO_TERMS = {"static"}  # files of the page
SETTING = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")
PATH = re.compile(r"`((?:[\w.]+/)+[\w.]*)`")
TITLE = re.compile(r"^### (.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def glossary(root):
    return (root / "docs" / "glossary.md").read_text()


def anchor(title):
    return title.lower().replace(" ", "-")


def words(name):
    """The words of a folder's name, each in the singular too."""
    return [{word, word.removesuffix("s"), word.removesuffix("es")} for word in name.split("_")]


def test_each_folder_of_the_package_is_a_term(root, glossary):
    terms = [set(title.lower().split()) for title in TITLE.findall(glossary)]
    folders = {path.parent.name for path in (root / "rankalpha").rglob("*.py")} - {"rankalpha"}
    assert folders
    missing = {
        name for name in folders - NO_TERMS if not any(all(w & term for w in words(name)) for term in terms)
    }
    assert missing == set()


def test_each_term_is_there_once_and_explained(glossary):
    titles = TITLE.findall(glossary)
    assert len(titles) == len(set(titles))
    for title, text in zip(titles, re.split(TITLE.pattern, glossary, flags=re.MULTILINE)[2::2], strict=True):
        explained = text.split("\n## ")[0].strip()
        assert explained.endswith("."), title
        assert len(re.findall(r"\.(?:\s|$)", explained)) <= 3, title


def test_each_link_leads_to_a_term(glossary):
    linked = set(re.findall(r"\]\(#([\w-]+)\)", glossary))
    assert linked
    assert linked <= {anchor(title) for title in TITLE.findall(glossary)}


def test_each_folder_and_setting_exists(root, glossary):
    documented = "\n".join(path.read_text() for path in (root / "env" / "example").iterdir())
    settings, paths = set(SETTING.findall(glossary)), set(PATH.findall(glossary))
    assert settings
    assert paths
    variables = (
        root / "docs/guides/settings.md"
    ).read_text()  # Airflow Variables are settings without an env file
    assert {name for name in settings if not re.search(rf"^(# )?{name}=", documented, re.MULTILINE)} <= {
        name for name in settings if f"| `{name}` |" in variables
    }
    assert {path for path in paths if not (root / path).exists()} == set()


def test_the_readme_leads_to_it(root):
    assert "(docs/glossary.md)" in (root / "README.md").read_text()
