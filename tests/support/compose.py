"""The stack of containers as a user runs it: `docker compose` in a checkout, with ports of its own."""

import contextlib
import json
import re

from tests.support.stack import LINES, Stack, wait_for

PROJECT = "com.docker.compose.project"
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
        self.files = [word for file in files for word in ("--file", str(file))]

    def compose(self, *command, **options):
        """Run a command of `docker compose`; return it finished."""
        return self.run("docker", "compose", *self.files, *command, **options)

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
        self.run("sh", "-c", "docker ps -aq --filter label=rankalpha.stage | xargs -r docker rm --force")
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
        """A port of a service by its name and by the address in each of its networks."""
        networks = engine.inspect_container(*self.ids(service))["NetworkSettings"]["Networks"].values()
        return [f"{host}:{port}" for host in (service, *(network["IPAddress"] for network in networks))]

    def reachable(self, addresses):
        """Those of some addresses that a stage can connect to."""
        container = ("docker", "run", "--rm", "--network=rankalpha_net", "rankalpha_scorer")
        return set(self.run(*container, "python", "-c", CONNECT, *addresses).stdout.split())

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
                wait_for(lambda: self.stages(engine) and self.ticks(run_id))  # somebody follows it
                yield run_id
            finally:
                if self.stages(engine):
                    self.mark_failed(f"dags/rankalpha_scoring/dagRuns/{run_id}")
                self.settle()
                wait_for(lambda: not self.stages(engine))  # the triggerer may need a second for that

    def ticks(self, run_id):
        """The ticks that a run's log shows so far."""
        return re.findall(r"tick (\d)", self.log("rankalpha_scoring", run_id, "run_scorer"))

    def taken(self, engine):
        """What is on the engine under names that the stack would use."""
        config = json.loads(self.output("config", "--format", "json"))
        names = {one.get("container_name") for one in config["services"].values()}
        names |= {one["name"] for kind in ("networks", "volumes") for one in config[kind].values()}
        found = [
            *((one["Names"][0].removeprefix("/"), one["Labels"]) for one in engine.containers(all=True)),
            *((one["Name"], one["Labels"]) for one in engine.networks()),
            *((one["Name"], one["Labels"]) for one in engine.volumes()["Volumes"] or ()),
        ]
        project = config["name"]
        return sorted(
            name for name, labels in found if name in names or (labels or {}).get(PROJECT) == project
        )
