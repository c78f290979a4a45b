"""Which operations of Docker's API the proxy lets through, and in which form: positive lists only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal
from urllib.parse import parse_qsl

from pydantic import TypeAdapter, ValidationError

from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME
from rankalpha.stack.docker_proxy.allowed import IMAGE, LABEL, NAME, Allowed, Refused, listed

PARTS = {"container": NAME, "image": IMAGE, "network": NAME, "volume": NAME}  # of a path
FLAG, WHOLE, TIME = "0|1|[Tt]rue|[Ff]alse", "-?[0-9]{1,9}", r"[0-9]{1,12}(\.[0-9]{1,9})?"
FILTERS = TypeAdapter(dict[Literal["label", "name", "status"], list[str]])


@dataclass(frozen=True)
class Operation:
    """One operation of Docker's API; `query` gives the pattern of each parameter that it may have."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a path must be, with or without the version of the API."""
        path = re.sub(r"{(\w+)}", lambda part: f"(?P<{part[1]}>{PARTS[part[1]]})", self.path)
        return re.compile(rf"(?P<version>(/v1\.[0-9]{{1,2}})?){path}")


OUR_NAME = "rankalpha-[a-z0-9_]+-[0-9T-]+-[0-9a-f]{8}"  # see rankalpha.runners.identity
CREATE = Operation("POST", "/containers/create", {"name": OUR_NAME})
RENAME = Operation("POST", "/containers/{container}/rename", {"name": f"{OUR_NAME}-try[0-9]+"})
LIST = Operation(
    "GET",
    "/containers/json",
    {"all": FLAG, "filters": ".*", "limit": WHOLE, "size": FLAG, "trunc_cmd": FLAG},
)
STOP = Operation("POST", "/containers/{container}/stop", {"t": WHOLE})
# links are between containers of the default network; docker-py says each time that it wants none removed
DELETE = Operation("DELETE", "/containers/{container}", {"force": FLAG, "link": "0|[Ff]alse", "v": FLAG})
LOGS = Operation(
    "GET",
    "/containers/{container}/logs",
    {
        **dict.fromkeys(("follow", "stderr", "stdout", "timestamps"), FLAG),
        **dict.fromkeys(("since", "until"), TIME),
        "tail": "all|[0-9]{1,9}",
    },
)
# one sample, at once: a stream would go on for as long as the container, a second sample would take a second
STATS = Operation("GET", "/containers/{container}/stats", {"one-shot": "1|[Tt]rue", "stream": "0|[Ff]alse"})
# for its result: what is unpacked there is the proxy's own, whatever was sent
MAKE_FOLDER = Operation("PUT", "/containers/{container}/archive", {"path": re.escape(RESULT_VOLUME)})
OPERATIONS = (
    Operation("HEAD", "/_ping"),
    Operation("GET", "/_ping"),
    Operation("GET", "/images/{image}/json"),
    Operation("GET", "/networks/{network}"),
    Operation("GET", "/volumes/{volume}"),
    LIST,
    CREATE,
    Operation("GET", "/containers/{container}/json", {"size": FLAG}),
    Operation("POST", "/containers/{container}/start"),
    LOGS,
    STATS,
    Operation("POST", "/containers/{container}/wait", {"condition": "not-running|next-exit|removed"}),
    Operation("GET", "/containers/{container}/archive", {"path": re.escape(RESULT_PATH)}),
    MAKE_FOLDER,
    RENAME,
    STOP,
    DELETE,
)


@dataclass(frozen=True)
class Call:
    """A request that is let through, in its parts."""

    operation: Operation
    parts: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path for the engine, made of what was checked."""
        return self.parts["version"] + self.operation.path.format(**self.parts)

    def on(self, container: str) -> "Call":
        """Return this call for the container of that id."""
        return replace(self, parts={**self.parts, "container": container})


def parse(method: str, target: str, allowed: Allowed) -> Call:
    """Return what a request's first line asks for, `target` being as it stands there; else raise Refused."""
    path, _, query = target.partition("?")
    path = path.replace("%40", "@")  # docker-py quotes the one before an image's digest; no other % is let in
    for operation in OPERATIONS:
        if operation.method == method and (found := operation.pattern.fullmatch(path)):
            parts = found.groupdict()
            for kind in {"network", "volume"} & parts.keys():
                allowed.check(kind, parts[kind])
            return Call(operation, parts, _query(operation, query))
    raise Refused(f"{method} {path}: not an operation a stage needs")


def _query(operation: Operation, text: str) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        twice_or_unknown = name in query or name not in operation.query
        if twice_or_unknown or not re.fullmatch(operation.query[name], value):
            raise Refused(f"{name}={value} in {operation.method} {operation.path}")
        query[name] = value
    if operation in (STATS, MAKE_FOLDER) and query.keys() != operation.query.keys():
        raise Refused(f"{operation.method} {operation.path} without {listed(operation.query)}")
    return {**query, "filters": _only_ours(query.get("filters", "{}"))} if operation is LIST else query


def _only_ours(filters: str) -> str:
    """Add our label to the filters of a list; Docker shows what has all labels that are asked for."""
    try:
        found = FILTERS.validate_json(filters)
    except ValidationError as error:
        raise Refused(f"filters {filters}: expected lists of label, name and status") from error
    return FILTERS.dump_json({**found, "label": [*found.get("label", []), LABEL]}).decode()
