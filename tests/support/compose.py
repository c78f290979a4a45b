"""The stack of containers as a user runs it: `docker compose` in a checkout, with ports of its own."""

import contextlib
import json
import re

from tests.support import intruder
from tests.support.engine import labels, taken
from tests.support.stack import LINES, Stack
from tests.support.waiting import wait_for

TICKING = "sh -c 'for i in 1 2 3 4 5; do echo tick $i; sleep 0.4; done; exec sleep 600'"

CONNECT = """
import socket, sys
for address in sys.argv[1:]:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
        print(address)
    except OSError:
        pass
"""


class ComposeStack(Stack):
    """The stack of some compose files; an engine has room for one, because its names are fixed."""

    def __init__(self, checkout, *files, **extra):
        super().__init__(checkout, **extra)
        self.files = files or ("docker-compose.yml",)
        self.config = json.loads(self.output("config", "--format", "json"))
        self.files = (*self.files, self._marked())

    def _marked(self):
        """Write a compose file that lets all that the stack makes on the engine carry the tests' mark."""
        kinds = ("services", "networks", "volumes")
        marks = {kind: {name: {"labels": labels()} for name in self.config.get(kind, {})} for kind in kinds}
        file = self.checkout.with_name(f"{self.checkout.name}-marks-{len(self.files)}.json")
        file.write_text(json.dumps(marks))
        return file

    def compose(self, *command, **options):
        """Run a command of `docker compose`; return it finished."""
        files = [word for file in self.files for word in ("--file", str(file))]
        return self.run("docker", "compose", *files, *command, **options)

    def output(self, *command, **options):
        """Return what a command of `docker compose` that must succeed prints."""
        done = self.compose(*command, **options)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def up(self, *options):
        """Start whatever is not running and return when all is healthy; a failure shows the logs."""
        done = self.compose("up", "--detach", "--build", "--wait", *options)
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{self.logs('--tail=40')}"

    def down(self):
        """Remove the stack with all its data, and the stages' containers, which hold some of it."""
        stages = "docker ps -aq --filter label=rankalpha.stage --filter network=rankalpha_net"
        self.run("sh", "-c", f"{stages} | xargs -r docker rm --force --volumes")
        self.output("down", "--volumes", "--remove-orphans")

    def logs(self, *options):
        """What containers have printed."""
        printed = self.output("logs", "--no-color", "--no-log-prefix", *options)
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", printed)  # Compose 2.26 clears lines all the same

    def query(self, text):
        """Ask PostgreSQL in its container."""
        ask = ("psql", "--username=airflow", "--no-align", "--tuples-only", "--command", text)
        return self.exec("postgres", *ask).splitlines()

    def component_logs(self):
        """The last lines of each container."""
        return {"all containers": self.logs(f"--tail={LINES}")}

    def exec(self, service, *command):
        """Return what a command prints in the container of a service."""
        return self.output("exec", "--no-TTY", service, *command)

    def ids(self, *services):
        """The ids of the containers of some or all services."""
        return self.output("ps", "--all", "--quiet", *services).split()

    def addresses(self, engine, service, port):
        """A port of a service by its name and by each address that its containers have."""
        networks_of = [
            engine.inspect_container(id_)["NetworkSettings"]["Networks"] for id_ in self.ids(service)
        ]
        hosts = [network["IPAddress"] for networks in networks_of for network in networks.values()]
        return [f"{host}:{port}" for host in (service, *hosts)]

    def reachable(self, addresses, service):
        """Those of some addresses that one of Airflow's services can connect to."""
        return set(self.exec(service, "python", "-c", CONNECT, *addresses).split())

    def intruder(self, batch, addresses):
        """What a stage finds that an attacker has taken over, started as always; then it does its work."""
        command = intruder.command(*addresses, then="python /app/apps/scorer/main.py")
        with self.variables(SCORER_COMMAND=command):
            run_id = self.trigger("rankalpha_scoring", batch)
            self.settle()
        return intruder.findings(self.log("rankalpha_scoring", run_id, "run_scorer"))

    def stages(self, engine, *, ended=False):
        """The stages' containers that run, or all that are there."""
        ours = {"label": "rankalpha.dag", "network": "rankalpha_net"}
        return engine.containers(all=ended, filters=ours)

    @contextlib.contextmanager
    def ticking(self, engine, batch):
        """Let the scorer print five ticks and hang; gives its run once its container is there."""
        with self.variables(SCORER_COMMAND=TICKING):
            run_id = self.trigger("rankalpha_scoring", batch)
            try:
                wait_for("the first tick in the log", lambda: self.stages(engine) and self.ticks(run_id))
                yield run_id
            finally:
                if self.stages(engine):
                    self.mark_failed(f"dags/rankalpha_scoring/dagRuns/{run_id}")
                self.settle()
                # the triggerer may need a second for that
                wait_for("the end of the scorer's container", lambda: not self.stages(engine))

    def ticks(self, run_id):
        """The ticks that a run's log shows so far."""
        return re.findall(r"tick (\d)", self.log("rankalpha_scoring", run_id, "run_scorer"))

    def taken(self, engine):
        """What is on the engine under names that the stack would use."""
        names = {each.get("container_name") for each in self.config["services"].values()}
        names |= {each["name"] for kind in ("networks", "volumes") for each in self.config[kind].values()}
        return taken(engine, names, self.config["name"])
