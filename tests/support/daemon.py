"""The Docker daemon of this machine, killed and started again with its own command."""

import json
import signal
import subprocess
from pathlib import Path

import psutil
from docker.errors import DockerException

from tests.support.waiting import wait_for

# allows the tests to do so; not for a daemon that a service manager starts again
MAY_RESTART = "FAULTS_RESTART_DOCKER"


def restart(client, *, live_restore):
    """Kill the daemon and start it as it was; containers go on meanwhile if `live_restore`."""
    daemon = _daemon()
    command, environment = daemon.cmdline(), daemon.environ()
    set_live_restore(client, on=live_restore)
    daemon.kill()
    daemon.wait(10)
    log = Path("/var/log/dockerd.log").open("ab")  # noqa: SIM115  the daemon's, until it ends
    subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    wait_for("the Docker daemon", lambda: _answers(client), 120)


def set_live_restore(client, *, on):
    """Change the setting of the running daemon."""
    daemon = _daemon()
    command = daemon.cmdline()
    given = "--config-file" in command
    path = Path(command[command.index("--config-file") + 1] if given else "/etc/docker/daemon.json")
    settings = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**settings, "live-restore": on}))
    daemon.send_signal(signal.SIGHUP)  # reads it again
    wait_for("the setting", lambda: client.info()["LiveRestoreEnabled"] == on)


def _daemon():
    return next(process for process in psutil.process_iter() if process.name() == "dockerd")


def _answers(client):
    try:
        return client.ping()
    except (DockerException, OSError):
        return False
