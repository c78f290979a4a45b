"""When the fault strikes, in the life of a batch's ingestion."""

import threading
import time

from docker import APIClient

from tests.support.waiting import wait_for

MID_RUN = 8  # seconds after the start of a container that runs for 12; its task is deferred after 5


class Moments:
    """Knows when a moment has come for the batch of a run."""

    def __init__(self, stack, engine_url, run_id):
        self.stack, self.run_id = stack, run_id
        self.seen = {"start": threading.Event(), "die": threading.Event()}
        client = APIClient(base_url=engine_url, version="auto")
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
            wait_for(self._publishing, 60)
            return
        assert self.seen["die" if moment == "at exit" else "start"].wait(60), "the container never came"
        if moment == "mid-run":
            time.sleep(MID_RUN)

    def _publishing(self):
        task = self.stack.tasks("rankalpha_ingestion", self.run_id)["publish_prices"]
        return task["state"] in ("queued", "running", "success")

    def close(self):
        """Look no longer."""
        self._events.close()


MOMENTS = ("before start", "just started", "mid-run", "at exit", "while publishing")
