"""JSON schemas in words."""

import json
from collections.abc import Mapping
from typing import Any

from scripts.reference.markdown import code

Schema = Mapping[str, Any]
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
}


def properties(schema: Schema, spec: Schema) -> Schema:
    """Return the fields of an object, also of one that may be null; empty for what has none."""
    for one in (schema, *schema.get("anyOf", ())):
        if found := _resolved(one, spec).get("properties"):
            return dict(found)
    return {}


def words(schema: Schema, spec: Schema) -> str:
    """Return what a schema allows: its kind, bounds and pattern, and its default."""
    return ", ".join(part for part in (_kind(schema, spec), *_rest(schema)) if part)


def _kind(schema: Schema, spec: Schema) -> str:
    if choices := schema.get("anyOf"):
        return " or ".join(words(one, spec) for one in choices)
    found = _resolved(schema, spec)
    kind = found.get("type", "")
    kind = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if kind == "array":
        return f"list of {_kind(found.get('items', {}), spec) or 'values'}"
    if kind == "object" and (fields := found.get("properties")):
        return f"object of {', '.join(map(code, fields))}"
    return f"{kind} ({found['format']})" if "format" in found else kind


def _rest(schema: Schema) -> list[str]:
    parts = [f"{text} {schema[key]:g}" for key, text in BOUNDS.items() if key in schema]
    if pattern := schema.get("pattern"):
        parts.append(f"matches {code(pattern)}")
    if values := schema.get("enum"):
        parts.append(f"one of {', '.join(map(code, values))}")
    if schema.get("default") is not None:
        parts.append(f"default {code(json.dumps(schema['default']))}")
    return parts


def _resolved(schema: Schema, spec: Schema) -> Schema:
    """Return a schema that is given by reference, from the description that holds it."""
    reference = str(schema.get("$ref", ""))
    return spec["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
