"""The Docker engine of the fault matrix: what the stages need on it, and who may kill its daemon."""

import json
import os
import subprocess

from tests.support.daemon import MAY_RESTART
from tests.support.engine import labels, taken
from tests.support.needs import IMAGE, SOCKET


class Engine:
    """The engine of this machine with the stages' network and volumes, which must not be there before."""

    url = f"unix://{SOCKET}"

    def __init__(self, client, stages):
        self.client = client
        self.networks = {stage.docker.network for stage in stages}
        self.volumes = {volume.name for stage in stages for volume in stage.docker.volumes}
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
