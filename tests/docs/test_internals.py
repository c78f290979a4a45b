"""`docs/design/airflow-internals.md` names each private part of Airflow that the code uses, and no other."""

import ast
import re

import pytest

TABLE = "docs/design/airflow-internals.md"
FOLDERS = ("rankalpha", "dags", "datasets", "scripts")
# what Airflow documents as its public interface, and its providers
PUBLIC = re.compile(
    r"airflow(\.(sdk(\.exceptions|\.timezone)?|configuration|listeners|plugins_manager|api_fastapi\.auth\.managers\..*|providers\..*|triggers\.base))?"
)
PART = re.compile(r"airflow(\.\w+)+")
MODELS = {"airflow_fixes", "joins", "maintenance"}  # the packages that may use Airflow's database


def private_parts(root):
    """Each private part of Airflow by the package, or the folder, that imports it or names it."""
    return {
        (part, path.relative_to(root).with_suffix("").parts[folder == "rankalpha"])
        for folder in FOLDERS
        for path in (root / folder).rglob("*.py")
        for part in imported(ast.parse(path.read_text()), names="airflow_fixes" in path.parts)
        if not is_public(part)
    }


def imported(tree, *, names):
    """Yield the modules of Airflow that a module imports; with `names` those too that a text of it names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "airflow":
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("airflow."))
        elif names and isinstance(node, ast.Constant) and PART.fullmatch(str(node.value)):
            yield node.value


def is_public(part):
    """Tell whether Airflow documents a module for us to use."""
    return bool(PUBLIC.fullmatch(part))


def rows(root):
    """The cells of the table's rows."""
    lines = (root / TABLE).read_text().splitlines()
    found = [line.strip("|").split("|") for line in lines if line.startswith("| `airflow")]
    return [[cell.strip() for cell in row] for row in found]


def test_the_table_names_each_private_part_and_no_other(root):
    named = {
        (part, where)
        for parts, places, *_ in rows(root)
        for part in re.findall(r"`([\w.]+)`", parts)
        for where in re.findall(r"`(\w+)`", places)
    }
    used = private_parts(root)
    assert used, "nothing was found, so that this test says nothing"
    assert sorted(used - named) == [], f"add them to {TABLE}, or use what is public"
    assert sorted(named - used) == [], f"remove them from {TABLE}"


def test_each_row_says_what_why_and_how_its_absence_shows(root):
    assert rows(root)
    for row in rows(root):
        assert len(row) == 5, row
        assert all(row), row


def test_only_the_packages_for_it_import_airflows_models(root):
    models = {place for part, place in private_parts(root) if part.startswith("airflow.models")}
    assert models
    assert models <= MODELS


@pytest.mark.parametrize(
    ("part", "public"),
    [
        ("airflow.sdk", True),
        ("airflow.sdk.exceptions", True),
        ("airflow.sdk.execution_time.task_runner", False),
        ("airflow.models.dag", False),
        ("airflow.providers.http.hooks.http", True),
        ("airflow._shared.state", False),
    ],
)
def test_what_is_public(part, public):
    assert is_public(part) == public


def test_a_text_counts_where_fixes_name_what_they_replace():
    tree = ast.parse("import airflow.models.dag\nfrom airflow.sdk import Asset\nX = 'airflow.models.x'\n")
    assert set(imported(tree, names=False)) == {"airflow.models.dag", "airflow.sdk"}
    assert "airflow.models.x" in set(imported(tree, names=True))
