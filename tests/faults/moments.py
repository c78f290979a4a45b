"""When the fault strikes, in the life of a batch's ingestion."""

import threading

from docker import APIClient

from tests.support.waiting import wait_for

MID_TICKS = 7  # of a stage that prints two a second: its task is deferred by then, and its triggerer follows
DAG, TASK = "ingestion", "run_ingestion"


class Moments:
    """Knows when a moment has come for the batch of a run of a lane."""

    def __init__(self, lane, engine, run_id):
        self.lane, self.engine, self.run_id = lane, engine, run_id
        self.seen = {"start": threading.Event(), "die": threading.Event()}
        client = APIClient(base_url=engine.url, version="auto")
        filters = {"label": ["rankalpha.stage=ingestion", f"rankalpha.run={run_id}"], "type": "container"}
        self._events = client.events(decode=True, filters=filters)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        try:
            for event in self._events:
                if found := self.seen.get(event["Action"]):
                    found.set()
        except (OSError, ValueError):  # the daemon was killed
            return

    def wait(self, moment):
        """Return when the moment has come."""
        if moment == "before start":
            return
        if moment == "while publishing":
            wait_for("the publication", self._publishing)
            return
        assert self.seen["die" if moment == "at exit" else "start"].wait(60), "the container never came"
        if moment == "mid-run":
            wait_for("the middle of the stage", self._in_the_middle)

    def holds(self, moment):
        """Whether a moment that was reached goes on, for the batches that wait for others to reach theirs."""
        return moment != "mid-run" or not self.seen["die"].is_set()

    def _in_the_middle(self):
        if self.lane.tasks(DAG, self.run_id)[TASK]["state"] != "deferred":
            return False
        found = self.engine.client.containers(filters={"label": f"rankalpha.run={self.run_id}"})
        printed = [self.engine.client.logs(one["Id"]).count(b"tick") for one in found]
        return max(printed, default=0) >= MID_TICKS

    def _publishing(self):
        task = self.lane.tasks(DAG, self.run_id)["publish_prices"]
        return task["state"] in ("queued", "running", "success")

    def close(self):
        """Look no longer."""
        self._events.close()


MOMENTS = ("before start", "just started", "mid-run", "at exit", "while publishing")
# one fault strikes a batch at each of these: the first is in its middle while the others come to theirs
TOGETHER = ("mid-run", "just started", "before start")
