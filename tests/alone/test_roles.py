"""Who may do what over HTTP: each role of Airflow's, and callers who are nobody.

The roles hold each other's rights: nobody < Viewer < User < Op < Admin. A row of REQUESTS names the least one
that is let through, and the answer that it gets; an answer 4xx is of a request that is let through and then
refused for what it asks for, so that nothing is changed. All below that role are refused.
"""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
import requests
from dotenv import dotenv_values

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.stack.keys import KEYS

ROLES = ("nobody", "viewer", "user", "op", "admin")
NEVER = "nobody's"  # not even an Admin
IMPOSTORS = ("basic", "nonsense", "unsigned", "forged", "expired")
RUN = "/api/v2/dags/rankalpha_ingestion/dagRuns/{run}"
TASK = RUN + "/taskInstances/publish_prices"
PAST = "2000-01-01T00:00:00Z"


@dataclass(frozen=True)
class Request:
    """A request, the least role that may make it, and what it is answered."""

    method: str
    path: str
    role: str
    status: int = 200
    body: dict[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix('/api/v2/')}"


REQUESTS = (
    # look
    Request("GET", "/api/v2/dags/rankalpha_scoring/dagRuns", "viewer"),
    Request("GET", "/api/v2/dagSources/rankalpha_scoring", "viewer"),
    Request("GET", "/api/v2/assets/events", "viewer"),
    Request("GET", "/api/v2/pools", "viewer"),
    Request("GET", RUN, "viewer"),
    Request("GET", TASK + "/logs/1", "viewer"),
    Request("GET", TASK + "/xcomEntries", "viewer"),
    Request("GET", "/rankalpha/overview?days=1", "viewer"),
    Request("GET", "/rankalpha/lineage/2022-08-04T06:00:00", "viewer"),
    # work on runs: trigger, clear, mark, pause, note, fill days, publish by hand
    Request("POST", "/api/v2/dags/rankalpha_scoring/dagRuns", "user", 422, {"logical_date": "yesterday"}),
    Request("POST", RUN + "/clear", "user", 200, {"dry_run": True}),
    Request("POST", "/api/v2/dags/rankalpha_scoring/clearTaskInstances", "user", 404, {"dag_run_id": "none"}),
    Request("PATCH", TASK, "user", 422, {"new_state": "nonsense"}),
    Request("PATCH", RUN, "user", 200, {"note": "seen"}),
    Request("DELETE", "/api/v2/dags/rankalpha_scoring/dagRuns/none", "user", 404),
    Request("PATCH", "/api/v2/dags/rankalpha_scoring", "user", 200, {"is_paused": False}),
    Request(
        "POST",
        "/api/v2/backfills/dry_run",
        "user",
        200,
        {"dag_id": "rankalpha_ingestion", "from_date": PAST, "to_date": PAST},
    ),
    Request("POST", "/api/v2/assets/events", "user", 404, {"asset_id": 0}),
    Request("POST", "/rankalpha/joins/repair", "user", 200, {"days": 0.0001}),
    # say whether a model becomes the champion
    Request(
        "PATCH", TASK + "/-1/hitlDetails", "user", 404, {"chosen_options": ["Approve"], "params_input": {}}
    ),
    # what a stage is configured by, and what a task has handed on
    Request("GET", "/api/v2/variables", "op"),
    Request("POST", "/api/v2/variables", "op", 422, {}),
    Request("DELETE", "/api/v2/variables/none", "op", 404),
    Request("GET", "/api/v2/connections", "op"),
    Request("POST", "/api/v2/connections", "op", 422, {}),
    Request("POST", TASK + "/xcomEntries", "op", 422, {}),
    Request(
        "POST",
        "/rankalpha/publish-anyway",
        "op",
        409,
        {"batch": "2022-08-04T06:00:00", "dataset": "scores", "reason": "it is right"},
    ),
    Request("PATCH", "/api/v2/pools/none", "op", 404, {"pool": "none", "slots": 1}),
    Request("GET", "/api/v2/config", "op"),
    Request("GET", "/api/v2/plugins", "viewer"),
    # the audit log, other users, and removing history
    Request("GET", "/api/v2/eventLogs", "admin"),
    Request("GET", "/auth/fab/v1/users", "admin"),
    Request("POST", "/auth/fab/v1/users", "admin", 422, {}),
    Request("POST", "/rankalpha/metadata/prune", "admin", 200, {"before": PAST}),
    # open: no data, nothing to change
    Request("GET", "/api/v2/monitor/health", "nobody"),
    Request("GET", "/api/v2/version", "nobody"),
    Request("GET", "/rankalpha/openapi.json", "nobody", 404),
    # tasks only, with the token of their own that each is given
    Request("GET", "/execution/variables/OPENAI_API_KEY", NEVER),
)


@pytest.fixture(scope="module")
def run(lane):
    """An ingestion run that has ended."""
    return lane.ingest("2022-08-04T06:00:00")


@pytest.fixture(scope="module")
def tokens(stack, password):
    """The headers of each role, and of callers who only pretend."""
    apis = {"admin": stack.api}
    for name in ("viewer", "user", "op"):
        apis[name] = AirflowApi(stack.api.url, name, password)
    headers = {"nobody": {}, "basic": {"Authorization": "Basic cmFua2FscGhhOnJhbmthbHBoYQ=="}}
    for name, api in apis.items():
        api.get("dags", limit=1)
        headers[name] = {"Authorization": api._session.headers["Authorization"]}
    real = headers["admin"]["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(real, options={"verify_signature": False})
    key, algorithm = keys(stack)["AIRFLOW__API_AUTH__JWT_SECRET"], jwt.get_unverified_header(real)["alg"]
    made = {
        "nonsense": "x.y.z",
        "unsigned": jwt.encode(claims, None, "none"),
        "forged": jwt.encode(claims, "x" * 64, algorithm),
        "expired": jwt.encode({**claims, "exp": int(time.time()) - 60}, key, algorithm),
    }
    resigned = jwt.encode(claims, key, algorithm)  # that it is the right key is what makes `expired` tell
    assert answer(stack, REQUESTS[0], {"Authorization": f"Bearer {resigned}"}, "") == 200
    return headers | {name: {"Authorization": f"Bearer {token}"} for name, token in made.items()}


def keys(stack):
    return dotenv_values(stack.state / "keys.env")


def answer(stack, request, headers, run):
    url = f"{stack.api.url}{request.path.format(run=run)}"
    return requests.request(request.method, url, json=request.body, headers=headers, timeout=30).status_code


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_who_may(stack, run, tokens, request_):
    least = len(ROLES) if request_.role == NEVER else ROLES.index(request_.role)
    expected = {role: request_.status if ROLES.index(role) >= least else 403 for role in ROLES}
    if least > 0:
        expected["nobody"] = 401
    found = {role: answer(stack, request_, tokens[role], run) for role in ROLES}
    assert found == expected


@pytest.mark.parametrize("impostor", IMPOSTORS)
def test_a_token_that_is_not_airflows_own_opens_nothing(stack, run, tokens, impostor):
    found = {str(asked): answer(stack, asked, tokens[impostor], run) for asked in REQUESTS}
    opened = {str(asked) for asked in REQUESTS if asked.role == "nobody"}
    assert {asked for asked, status in found.items() if status not in (401, 403)} == opened


def test_an_operator_runs_a_batch_again_and_holds_a_stage_back(stack, lane, password):
    """What the table asks for without doing it."""
    operator, key = AirflowApi(stack.api.url, "op", password), "2022-08-05T06:00:00"
    body = {"logical_date": None, "partition_key": key}
    run_id = operator.post("dags/rankalpha_ingestion/dagRuns", body)["dag_run_id"]
    lane.settle()
    operator.post(f"dags/rankalpha_ingestion/dagRuns/{run_id}/clear", {"dry_run": False})
    lane.settle()
    assert len(lane.published("grades", key)) == 2
    for paused in (True, False):
        operator.patch("dags/rankalpha_grading", {"is_paused": paused})
        assert operator.get("dags/rankalpha_grading")["is_paused"] is paused


def test_the_command_of_the_docs_makes_a_viewer(stack, root):
    page = (root / "docs/security/roles.md").read_text()
    (command,) = re.findall(r'^\$ make airflow ARGS="(users create .*)"$', page, re.MULTILINE)
    word = f"-{secrets.token_urlsafe(12)}"  # what no command may take for an option
    stack.airflow(command.replace("--password …", f"--password={word}"))
    ann = AirflowApi(stack.api.url, "ann", word)
    assert ann.get("dags", limit=1)["total_entries"] > 0
    with pytest.raises(AirflowApiError, match="403"):
        ann.get("variables")


def test_a_viewer_starts_nothing(stack, lane, run, password):
    viewer = AirflowApi(stack.api.url, "viewer", password)
    newest = lane.runs("ingestion")[-1]
    with pytest.raises(AirflowApiError, match="403"):
        viewer.post("dags/rankalpha_ingestion/dagRuns", {"logical_date": None})
    assert lane.runs("ingestion")[-1]["dag_run_id"] == newest["dag_run_id"]


def test_the_configuration_that_is_shown_holds_no_secret(stack):
    """The profile `local` shows it, also to an operator, whom a key would make an Admin."""
    shown = str(stack.api.get("config"))
    assert "fernet_key" in shown
    assert [key for key in KEYS if keys(stack)[key] in shown] == []


def test_neither_keys_nor_logs_are_for_other_users_of_the_machine(stack):
    modes = {name: (stack.state / name).stat().st_mode & 0o077 for name in ("keys.env", "logs", "airflow")}
    assert modes == dict.fromkeys(modes, 0)
