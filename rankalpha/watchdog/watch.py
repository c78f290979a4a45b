"""The watchdog's round: repair what is safe to repair, observe, and alert a person once."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from rankalpha.airflow_api import OWN_ROUTES, REPAIR, AirflowApi, admin_api
from rankalpha.alerts import channels
from rankalpha.alerts.alert import alert, is_new, record
from rankalpha.alerts.incident import Incident
from rankalpha.alerts.sent import all_sent, move_variables
from rankalpha.health.diagnosis import UNSENT, all_incidents
from rankalpha.health.snapshot import snapshots
from rankalpha.pipeline.pipelines import pipelines
from rankalpha.settings import settings
from rankalpha.watchdog.details import detailed
from rankalpha.watchdog.resolved import close

log = logging.getLogger(__name__)


def watch() -> None:
    """Do a round; raises as AirflowApi does, and its own failure is then the alert."""
    api = admin_api()
    for line in repair(api):
        log.warning("Repaired: %s", line)
    if moved := move_variables(api):
        log.info("Alerts that an earlier version kept in Variables were moved: %d", moved)
    send_again(api)
    now = snapshots(api, settings().watch_days, pipelines())
    for snapshot in now:
        for batch in snapshot.batches:
            log.info("Batch %s: %s", snapshot.pipeline.market.named(batch.key), batch.where)
    incidents = all_incidents(now)
    alerted = {sent.incident.key for sent in now[0].sent if not sent.recovering}
    for incident in incidents:
        if incident.key in alerted or not is_new(incident.key):  # a task may have alerted meanwhile
            log.warning("Still open: %s", incident.subject)
        else:
            alert(detailed(api, incident), _channels(incident))
    close(api, now, incidents)


def repair(api: AirflowApi) -> list[str]:
    """Start each DAG for the batches that had not reached it; return what was done, in words."""
    repaired = api.post(OWN_ROUTES + REPAIR, {"days": settings().watch_days})["repaired"]
    return [f"batch {one['batch']} had not reached {one['dag_id']}; it is running now." for one in repaired]


def send_again(api: AirflowApi) -> None:
    """Send what a channel has not taken; a channel that fails is used no more in this round."""
    broken: tuple[str, ...] = ()
    now, switched_on = datetime.now(UTC), channels.switched_on()
    for sent in all_sent(api):
        due = sent.due(now)
        names = [name for name in due if name in switched_on and name not in broken]
        if names:
            delay = f"Delayed: this alert was raised at {sent.at:%H:%M} UTC."
            broken += channels.send(replace(sent.incident, text=f"{sent.incident.text}\n{delay}"), names)
        failed = tuple(name for name in due if name in broken)  # not a channel that was switched off
        if failed != due:
            log.info("Sent by %s: %s", ", ".join(names) or "no channel", sent.incident.subject)
            record(sent.after_sending(failed))


def _channels(incident: Incident) -> tuple[str, ...]:
    """Return the channels for an incident: all but the channel that is the incident itself."""
    return tuple(name for name in channels.switched_on() if incident.key != f"{UNSENT}{name}")
