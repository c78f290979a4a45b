"""Remembers which alerts were sent, by which channels, and which channels did not take them yet.

An Airflow Variable for each, so that task callbacks, deadlines and the watchdog know of each other, and what
could not be sent is sent later.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Self

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts.incident import Incident, Urgency

VARIABLES = "rankalpha_incident_"  # how the names of their Variables begin
SENDING = timedelta(minutes=10)  # a sender that takes longer is dead; Airflow's SMTP hook waits up to 30 s
# fields by other names in a Variable: the version before wrote these, and may run beside this one
STORED_AS = {"delivered": "told", "recovering": "mending"}


@dataclass(frozen=True)
class SentAlert:
    """An alert with the channels that have `delivered` it, and those by which it is still `unsent`.

    `sending`: its sender is at work. `recovering`: the symptom is gone but recovery is not confirmed; if it
    returns, alert again. A `notice` reports no trouble, and is forgotten once it is sent.
    """

    incident: Incident
    at: datetime
    delivered: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    sending: bool = False
    recovering: bool = False
    notice: bool = False

    def due(self, now: datetime) -> tuple[str, ...]:
        """Return the channels to send it by again: none while its sender may still be at work."""
        return () if self.sending and now - self.at < SENDING else self.unsent

    def after_sending(self, failed: tuple[str, ...]) -> Self:
        """Return it as it is once all unsent channels were used, of which some have `failed`."""
        delivered = (*self.delivered, *(name for name in self.unsent if name not in failed))
        return replace(self, delivered=delivered, unsent=failed, sending=False)

    def as_recovering(self) -> Self:
        """Return it with the mark that its symptom is gone, while its recovery is not confirmed."""
        return replace(self, recovering=True)

    def write(self) -> str:
        """Return it as the value of a Variable."""
        fields = asdict(self) | {"at": self.at.isoformat()}
        return json.dumps({STORED_AS.get(name, name): value for name, value in fields.items()})

    @classmethod
    def read(cls, value: str, subject: str = "") -> Self:
        """Return what `write` has written; any other text counts as the key of an incident that was sent."""
        try:
            stored: dict[str, Any] = json.loads(value)
            fields = {
                name: stored[key]
                for name in cls.__dataclass_fields__
                if (key := STORED_AS.get(name, name)) in stored
            }
            urgency = Urgency(fields["incident"]["urgency"])
            fields |= {
                "incident": Incident(**fields["incident"] | {"urgency": urgency}),
                "at": datetime.fromisoformat(fields["at"]),
                "delivered": tuple(fields["delivered"]),
                "unsent": tuple(fields["unsent"]),
            }
            return cls(**fields)
        except (ValueError, KeyError, TypeError):
            return cls(Incident(value, subject or value, ""), datetime.now(UTC))


def variable(key: str) -> str:
    """Return the name of an incident's Variable."""
    return VARIABLES + sha256(key.encode()).hexdigest()[:12]


def recall(key: str) -> SentAlert | None:
    """Return the alert that was sent for an incident; for a task, trigger or callback."""
    from airflow.sdk import Variable  # noqa: PLC0415  slow to load, and a command that reads alerts asks the API

    value = Variable.get(variable(key), default=None)
    return SentAlert.read(value) if value else None


def remember(sent_alert: SentAlert) -> None:
    """Store an alert, instead of what was stored for its incident before."""
    from airflow.sdk import Variable  # noqa: PLC0415

    Variable.set(
        variable(sent_alert.incident.key), sent_alert.write(), description=sent_alert.incident.subject
    )


def forget(sent_alert: SentAlert) -> None:
    """Delete an alert: if its incident comes again, it is a new one."""
    from airflow.sdk import Variable  # noqa: PLC0415

    Variable.delete(variable(sent_alert.incident.key))


def all_sent(api: AirflowApi) -> list[SentAlert]:
    """Return all alerts that are stored; an empty list for a user who may not see Variables."""
    try:
        variables = list(api.every("variables", "variables", variable_key_prefix_pattern=VARIABLES))
    except AirflowApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return []
        raise
    return [SentAlert.read(one["value"], one["description"]) for one in variables]
