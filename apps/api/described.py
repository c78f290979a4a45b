"""The page /docs, which describes the API from its OpenAPI document; it loads nothing from elsewhere."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter()
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}th,td{text-align:left;padding:.25rem .5rem;
border-bottom:1px solid #8886;vertical-align:top}code{font-family:ui-monospace,monospace}
:root{color-scheme:light dark}h2{margin-top:2.5rem;border-top:1px solid #8886;padding-top:1rem}"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
Spec = dict[str, Any]


@router.get("/docs", response_class=HTMLResponse)
def describe(request: Request) -> HTMLResponse:
    """Return the page."""
    spec = request.app.openapi()
    return HTMLResponse("\n".join(_page(spec)), headers=HEADERS)


def _page(spec: Spec) -> Iterator[str]:
    title = escape(spec["info"]["title"])
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    yield f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>"
    yield '<p>The same for programs: <a href="/openapi.json">/openapi.json</a>. Errors are RFC 9457.</p><ul>'
    operations = [
        (method.upper(), path, operation)
        for path, methods in spec["paths"].items()
        for method, operation in methods.items()
    ]
    for number, (method, path, _) in enumerate(operations):
        yield f'<li><a href="#{number}">{method} {escape(path)}</a></li>'
    yield "</ul>"
    for number, (method, path, operation) in enumerate(operations):
        yield f'<h2 id="{number}"><code>{method} {escape(path)}</code></h2>'
        yield f"<p>{escape(operation.get('description', ''))}</p>"
        yield from _operation(operation, spec)
    yield "</main></body></html>"


def _operation(operation: Spec, spec: Spec) -> Iterator[str]:
    parameters = [
        (each["name"], each["in"], _form(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", ())
    ]
    yield from _table(("parameter", "in", "form", "meaning"), parameters)
    body = operation.get("requestBody", {})
    yield from _table(("field of the body", "form"), _fields(body, spec))
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            yield from _table(("field of the answer", "form"), _fields(answer, spec))


def _fields(holder: Spec, spec: Spec) -> list[tuple[str, ...]]:
    schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    found = _resolved(schema, spec)
    return [(name, _form(form)) for name, form in found.get("properties", {}).items()]


def _resolved(schema: Spec, spec: Spec) -> Spec:
    for each in (schema, *schema.get("anyOf", ())):
        if "$ref" in each:
            found: Spec = spec["components"]["schemas"][each["$ref"].rpartition("/")[2]]
            return found
    return schema


def _form(schema: Spec) -> str:
    """Return the form of a value in words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_form(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_form(schema.get('items', {}))}"
    form = schema.get("format")
    return f"{schema.get('type', 'anything')}{f' ({form})' if form else ''}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield f"<table><tr>{''.join(f'<th>{escape(each)}</th>' for each in head)}</tr>"
        for name, *others in rows:
            cells = "".join(f"<td>{escape(each)}</td>" for each in others)
            yield f"<tr><td><code>{escape(name)}</code></td>{cells}</tr>"
        yield "</table>"
