"""The API server's requests of tasks: in nine versions as Airflow makes them, in one with the fix."""

import json
import os
import subprocess
import sys

CALL = """
import json
from airflow.api_fastapi.execution_api.app import create_task_execution_api_app
from airflow.sdk.api.datamodels._generated import API_VERSION
from fastapi.testclient import TestClient
from rankalpha.airflow_fixes import one_version
before = create_task_execution_api_app().versions.versions
on = one_version.FIX.on()
with TestClient(create_task_execution_api_app()) as client:
    headers = {"Airflow-API-Version": API_VERSION}
    paths = ("/variables/any", "/task-instances/any/state", "/no-such-path")
    called = [client.get(path, headers=headers).status_code for path in paths]
    versions = [str(version) for version in client.app.router.versions]
print("CAME OF IT", json.dumps([len(before) > 1, on, versions == [API_VERSION], called]))
"""


def test_tasks_are_answered_in_their_own_version():
    """When the first is false, Airflow makes one version itself: remove the fix."""
    done = subprocess.run(
        [sys.executable, "-c", CALL],
        env=os.environ | {"AIRFLOW__API_AUTH__JWT_SECRET": "of this test alone, and long enough" * 2},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    came = json.loads(done.stdout.rpartition("CAME OF IT ")[2])
    assert came == [True, True, True, [401, 405, 404]]  # the caller has no token; a state is written only
