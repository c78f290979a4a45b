"""Airflow's API server on the database of a test process, with no other process of Airflow."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import requests

from rankalpha.airflow_api import AirflowApi
from rankalpha.stack.embedded.ports import free_ports
from tests.support.waiting import wait_for

ADMIN = ("rankalpha", "rankalpha")


@contextmanager
def api_server():
    """A client of the server, with the rights of the admin."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "airflow", "api-server", "--host", "127.0.0.1", "--port", str(port)]
    log = Path(os.environ["AIRFLOW_HOME"], "api-server.log")
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--apps", "core"],
            env=os.environ | {"RANKALPHA_AIRFLOW_URL": url},
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def answers():
        assert server.poll() is None, log.read_text()
        return requests.get(f"{url}/api/v2/version", timeout=5).ok

    try:
        wait_for("the API server", answers, 120, forgive=requests.RequestException)
        yield AirflowApi(url, *ADMIN)
    finally:
        server.terminate()
        server.wait(30)
