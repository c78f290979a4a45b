"""What OpenLineage asks of an event: the specification's schema, and the facets that its client knows."""

import importlib
import json
import pkgutil
from pathlib import Path

import attr
from jsonschema import Draft202012Validator, FormatChecker

SCHEMA = json.loads(Path(__file__).with_suffix(".json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())


def known_facets():
    """The classes that OpenLineage's client generates from the specification, by their schema's URL."""
    from openlineage.client import generated

    modules = [
        importlib.import_module(f"{generated.__name__}.{module.name}")
        for module in pkgutil.iter_modules(generated.__path__)
    ]
    classes = [value for module in modules for value in vars(module).values() if attr.has(value)]
    return {each._get_schema(): each for each in classes if hasattr(each, "_get_schema")}


def facets_of(event):
    """Every facet of an event."""
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for holder in holders:
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(kind, {}).values()


def violations(event):
    """What is wrong with an event, one sentence each."""
    known = known_facets()
    for problem in VALIDATOR.iter_errors(event):
        yield f"{problem.json_path}: {problem.message}"
    for facet in facets_of(event):
        kind = known.get(url := facet["_schemaURL"])
        if kind is None:
            yield f"the specification has no {url}"
            continue
        fields = {field.name: field.default is attr.NOTHING for field in attr.fields(kind)}
        if missing := [name for name, required in fields.items() if required and name not in facet]:
            yield f"{url} lacks {missing}"
        base = url.endswith(("/RunFacet", "/JobFacet"))  # what the provider adds of its own
        if not base and (unknown := facet.keys() - fields.keys() - {"_producer", "_schemaURL", "_deleted"}):
            yield f"{url} has no {sorted(unknown)}"
