"""The HTTP interfaces, from their OpenAPI descriptions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from apps.api import app as grading
from apps.api.settings import Settings as GradingSettings
from apps.frontend import app as frontend
from apps.frontend.settings import Settings as FrontendSettings
from rankalpha.web import app as web
from scripts.reference.markdown import code, page, prose, table
from scripts.reference.schemas import properties, words

NULL = " or null"  # which nobody asks with
Found = Mapping[str, Any]


def pages(_root: Path) -> dict[str, str]:
    """Return a page for each service, and for each room of the grading API."""
    api = grading.create_app(GradingSettings())
    return {
        **{
            f"api/{room}.md": page(title, _parts(text, api, room=room)) for room, (title, text) in API.items()
        },
        "api/frontend.md": page("The page's API", _parts(FRONTEND, frontend.create_app(FrontendSettings()))),
        "api/airflow.md": page("Routes in Airflow", _parts(AIRFLOW, web.build(), "/rankalpha")),
    }


API = {  # the rooms of `apps.api.app`
    "grades": ("The API of grades", "The reference API answers what is shown now; it needs no password."),
    "record": (
        "The API of the record",
        "The reference API answers what was graded when, what has changed, and how good the grades were.",
    ),
    "grading": (
        "The API of grading",
        "The tasks of `rankalpha_grading` and `rankalpha_evaluation` call this part of the reference API.",
    ),
}
FRONTEND = "The ranking page loads its data here, and the task `notify_frontend` reports new grades."
AIRFLOW = (
    "Airflow's API server serves these routes with the tokens and rights of its own API.\n\n"
    "The metrics have a token of their own, see [metrics](../metrics.md)."
)


def _parts(text: str, app: FastAPI, prefix: str = "", room: str = "") -> Iterator[str]:
    yield text
    spec = app.openapi()
    for path, operations in spec["paths"].items():
        for methods, operation in _alike(operations):
            if room and room not in operation["tags"]:
                continue
            yield f"## {' or '.join(methods)} {prefix}{path}"
            yield prose(operation.get("description", ""))
            yield from _operation(operation, spec)


def _alike(operations: Found) -> Iterator[tuple[list[str], Found]]:
    """Yield each operation of a path, with all methods that do the same."""
    rest = {method: {**found, "operationId": ""} for method, found in operations.items()}
    while rest:
        operation = next(iter(rest.values()))
        same = [method for method, found in rest.items() if found == operation]
        yield [method.upper() for method in same], operation
        rest = {method: found for method, found in rest.items() if method not in same}


def _operation(operation: Found, spec: Found) -> Iterator[str]:
    rows = (_parameter(one, spec) for one in operation.get("parameters", ()) if one["in"] != "header")
    yield table(("parameter", "in", "form", "", "meaning"), rows)
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    yield _fields("field of the body", properties(body.get("schema", {}), spec), spec)
    for status, response in operation["responses"].items():
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        if status.startswith("2"):
            yield _fields("field of the answer", properties(schema, spec), spec)


def _parameter(parameter: Found, spec: Found) -> tuple[str, ...]:
    schema = parameter["schema"]
    required = "required" if parameter.get("required") else ""
    meaning = parameter.get("description", "")
    return (
        code(parameter["name"]),
        parameter["in"],
        words(schema, spec).removesuffix(NULL),
        required,
        prose(meaning),
    )


def _fields(heading: str, found: Found, spec: Found) -> str:
    return table((heading, "form"), ((code(name), words(schema, spec)) for name, schema in found.items()))
