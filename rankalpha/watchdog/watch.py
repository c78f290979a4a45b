"""The watchdog's round: repair what is safe, look, tell a person once."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from rankalpha.airflow_api import OWN_ROUTES, REPAIR, AirflowApi, admin_api
from rankalpha.alerts import alert, channels, sent
from rankalpha.health.diagnosis import UNSENT, Incident, all_incidents
from rankalpha.health.sight import Sight, look
from rankalpha.pipeline.pipelines import pipelines
from rankalpha.settings import settings
from rankalpha.watchdog.details import detailed
from rankalpha.watchdog.over import close

log = logging.getLogger(__name__)


def repair(api: AirflowApi) -> list[str]:
    """Let each DAG have the batches that were lost on the way to it; return what was done, in words."""
    found = api.post(OWN_ROUTES + REPAIR, {"days": settings().watch_days})["repaired"]
    return [
        f"batch {one['batch']} was lost on the way to {one['dag_id']}, which runs it now" for one in found
    ]


def see(api: AirflowApi) -> tuple[list[Sight], list[Incident]]:
    """Return how things are with each market, and what is wrong."""
    sights = look(api, settings().watch_days, pipelines())
    return sights, all_incidents(sights)


def watch() -> None:
    """Do a round; raises as AirflowApi does, for then nobody watches."""
    api = admin_api()
    for done in repair(api):
        log.warning("Repaired: %s", done)
    send_again(api)
    sights, found = see(api)
    for sight in sights:
        for batch in sight.batches:
            log.info("Batch %s: %s", sight.pipeline.market.named(batch.key), batch.where)
    known = {one.incident.key for one in sights[0].told if not one.mending}
    for incident in found:
        if incident.key in known or not alert.is_new(incident.key):  # a task may just have told it
            log.warning("Still so: %s", incident.subject)
        else:
            alert.tell(detailed(api, incident), _channels(incident))
    close(api, sights, found)


def send_again(api: AirflowApi) -> None:
    """Send what some channel has not taken; one that does not work now is tried once in a round."""
    broken: tuple[str, ...] = ()
    now, on = datetime.now(UTC), channels.on()
    for one in sent.every(api):
        waiting = one.to_send(now)
        names = [name for name in waiting if name in on and name not in broken]
        if names:
            late = replace(one.incident, text=f"{one.incident.text}\nSent late: it is of {one.at:%H:%M} UTC")
            broken += channels.send(late, names)
        left = tuple(name for name in waiting if name in broken)  # not those that were switched off
        if left != waiting:
            log.info("Sent by %s: %s", ", ".join(names) or "no channel", one.incident.subject)
            alert.note(one.sent(left))


def _channels(incident: Incident) -> tuple[str, ...]:
    """Return the channels that can tell of an incident: not the one that is the incident."""
    return tuple(name for name in channels.on() if incident.key != f"{UNSENT}{name}")
