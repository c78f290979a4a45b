"""The Docker engine of the fault matrix: what the stages need on it, and the daemon that may be killed."""

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
from docker.errors import DockerException

from tests.support.engine import labels, taken
from tests.support.needs import IMAGE, SOCKET
from tests.support.waiting import wait_for

# allows the tests to kill the Docker daemon of this machine and to start it again with its own command;
# not for one that a service manager starts again
MAY_RESTART = "FAULTS_RESTART_DOCKER"


class Engine:
    """The engine of this machine with the stages' network and volumes, which must not be there before."""

    url = f"unix://{SOCKET}"

    def __init__(self, client, stages):
        self.client = client
        self.networks = {stage.network for stage in stages}
        self.volumes = {volume.name for stage in stages for volume in stage.volumes}
        self.may_restart = bool(os.environ.get(MAY_RESTART))

    def taken(self):
        """Names that somebody else uses."""
        return taken(self.client, self.networks | self.volumes)

    def prepare(self):
        """Make the network and the volumes."""
        for name in self.networks:
            self.client.create_network(name, labels=labels())
        for name in self.volumes:
            self.client.create_volume(name, labels=labels())

    def clean(self):
        """Remove what `prepare` has made, and the stages' containers."""
        for network in self.networks:
            stages = {"label": "rankalpha.stage", "network": network}
            for container in self.client.containers(all=True, filters=stages):
                self.client.remove_container(container["Id"], force=True, v=True)
        for name in self.networks:
            self.client.remove_network(name)
        for name in self.volumes:
            self.client.remove_volume(name)

    def journal(self, market):
        """What the stages of a market have noted, a line for each start of a container."""
        mount = f"{market.volume('prices_data')}:/data:ro"
        show = ("docker", "run", "--rm", "--volume", mount, IMAGE, "cat", "/data/journal.jsonl")
        done = subprocess.run(show, capture_output=True, text=True, check=True, timeout=60)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def restart(self, *, live_restore):
        """Kill the daemon and start it as it was; containers go on meanwhile if `live_restore`."""
        daemon = next(process for process in psutil.process_iter() if process.name() == "dockerd")
        command, environment = daemon.cmdline(), daemon.environ()
        _set_live_restore(daemon, command, on=live_restore)
        wait_for("the setting", lambda: self.client.info()["LiveRestoreEnabled"] == live_restore)
        daemon.kill()
        daemon.wait(10)
        log = Path("/var/log/dockerd.log").open("ab")  # noqa: SIM115  the daemon's, until it ends
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        wait_for("the Docker daemon", self._answers, 120)

    def _answers(self):
        try:
            return self.client.ping()
        except (DockerException, OSError):
            return False


def _set_live_restore(daemon, command, *, on):
    given = "--config-file" in command
    path = Path(command[command.index("--config-file") + 1] if given else "/etc/docker/daemon.json")
    settings = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**settings, "live-restore": on}))
    daemon.send_signal(signal.SIGHUP)  # reads it again
