"""Images, a database and services that are not ours; the last of the modules, for it changes the profile."""

import re

import pytest

from tests.support.engine import labels
from tests.support.production import PASSWORDS, fill
from tests.support.waiting import wait_for

# is root without capabilities; writes to its volume, and a row to the database that the profile names
OWN_STAGE = (
    'sh -c "touch /data/prices/own-$0 && '
    """psql -c \\"insert into done values ('$0', '$RANKALPHA_BATCH')\\"" {}"""
)
OWN_SERVICE = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

HTTPServer(("", 8000), Service).serve_forever()
"""


@pytest.fixture
def own_services(stack, session):
    """A database, and a server that stands for API and frontend and knows GET only; neither is ours.

    The stages call the database, Airflow the server: each is on the network of those who call it.
    """
    marks = [f"--label={key}={value}" for key, value in labels().items()]
    run = ("docker", "run", "--detach", *marks)
    database, service = f"{session}-db", f"{session}-api"
    password = f"--env=POSTGRES_PASSWORD={PASSWORDS['own']}"
    create = "create table done (stage text, batch text)"
    try:
        called = (f"--name={service}", "--network=rankalpha_services")
        stack.run(*run, *called, "python:3.13-slim-trixie", "python", "-c", OWN_SERVICE)
        stack.run(*run, f"--name={database}", "--network=rankalpha_net", password, "postgres:17")
        wait_for("the database", lambda: "CREATE TABLE" in sql(stack, database, create))
        yield database, service
    finally:
        stack.run("docker", "rm", "--force", "--volumes", database, service)


def sql(stack, database, text):
    """Return what psql says in the container of a database."""
    psql = ("psql", "--host=127.0.0.1", "--username=postgres", "--tuples-only", "--no-align")
    return stack.run("docker", "exec", database, *psql, "--command", text).stdout


def test_images_that_know_nothing_of_this_project_work(stack, batch, profile, own_services):
    database, service = own_services
    for stage in ("ingestion", "scorer", "sentiment"):
        file, name = profile / f"{stage}.env", stage.upper()
        file.write_text(
            f"{name}_IMAGE=postgres:17\n{name}_COMMAND={OWN_STAGE.format(stage)}\n"
            f"PGHOST={database}\nPGUSER=postgres\nPGPASSWORD={PASSWORDS['own']}\n"
        )
    url = f"http://{service}:8000"
    fill(profile / "api.env", API_URL=url, GRADING_METHOD="GET", FRONTEND_URL=url, FRONTEND_METHOD="GET")
    key = "2026-11-03T06:00:00"
    stack.trigger("rankalpha_ingestion", key)
    graded = {"partition_key_prefix_pattern": key, "state": "success"}
    wait_for("the batch to be graded", lambda: stack.runs("rankalpha_grading", **graded), 300)
    rows = sql(stack, database, "select stage, batch from done order by stage").split()
    assert rows == [f"ingestion|{key}", f"scorer|{key}", f"sentiment|{key}"]
    quoted = key.replace(":", "%3A")
    asked = re.findall(r'"GET (\S+)', stack.run("docker", "logs", service).stdout)
    assert asked == [f"/api/v1/grading/refresh?batch={quoted}", f"/api/refresh-data?batch={quoted}"]
    extra = stack.events("grades")[-1]["extra"]
    assert (extra.keys(), extra["batch"]) == ({"batch", "checks"}, key)
    assert [one for one in extra["checks"] if not one["passed"]] == [], "what is not reported blocks nothing"
