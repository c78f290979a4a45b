"""The watchdog's round: repair what is safe, look, tell a person once."""

import logging

from rankalpha import alerts
from rankalpha.airflow_api import AirflowApi, admin_api
from rankalpha.maintenance.metadata import PREFIX
from rankalpha.settings import settings
from rankalpha.watchdog import REPAIR
from rankalpha.watchdog.incidents import Incident, incidents
from rankalpha.watchdog.reading import Sight, look
from rankalpha.watchdog.told import claim, forget_all_but

log = logging.getLogger(__name__)


def repair(api: AirflowApi) -> list[str]:
    """Let each DAG have the batches that were lost on the way to it; return what was done, in words."""
    found = api.post(PREFIX + REPAIR, {"days": settings().watch_days})["repaired"]
    return [
        f"batch {one['batch']} was lost on the way to {one['dag_id']}, which runs it now" for one in found
    ]


def see(api: AirflowApi) -> tuple[Sight, list[Incident]]:
    """Return how things are, and what is wrong."""
    sight = look(api, settings().watch_days)
    return sight, incidents(sight)


def watch() -> None:
    """Do a round; raises as AirflowApi does, for then nobody watches."""
    api = admin_api()
    for done in repair(api):
        log.warning("Repaired: %s", done)
    sight, found = see(api)
    for batch in sight.batches:
        log.info("Batch %s: %s", batch.key, batch.where)
    for incident in found:
        if claim(api, incident):
            alerts.send(f"RankAlpha: {incident.subject}", incident.text)
        else:
            log.warning("Still so: %s", incident.subject)
    for subject in forget_all_but(api, found):
        log.info("Over: %s", subject)
