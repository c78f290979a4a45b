"""Remembers which incidents a person was told of, by which channels, and by which not yet.

An Airflow Variable for each, so that task callbacks, deadlines and the watchdog know of each other, and what
could not be sent is sent later.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Self

from airflow.sdk import Variable

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts.incident import Incident, Urgency

PREFIX = "rankalpha_incident_"
SENDING = timedelta(minutes=10)  # a sender that takes longer is dead; Airflow's SMTP hook waits up to 30 s


@dataclass(frozen=True)
class Told:
    """An incident and who knows; `sending` while it is told for the first time.

    `mending` once it was no more to be seen without being over: should it come back, it is told anew. A
    `notice` tells of no trouble, and is forgotten once it is sent.
    """

    incident: Incident
    at: datetime
    told: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    sending: bool = False
    mending: bool = False
    notice: bool = False

    def to_send(self, now: datetime) -> tuple[str, ...]:
        """Return the channels that it was not sent by, unless somebody is about to."""
        return () if self.sending and now - self.at < SENDING else self.unsent

    def sent(self, failed: tuple[str, ...]) -> Self:
        """Return it after it was tried on all that was unsent."""
        told = (*self.told, *(name for name in self.unsent if name not in failed))
        return replace(self, told=told, unsent=failed, sending=False)

    def seen_mending(self) -> Self:
        """Return it with the mark that it is to be seen no more, and not over."""
        return replace(self, mending=True)

    def write(self) -> str:
        """Return it as the value of a Variable."""
        return json.dumps(asdict(self) | {"at": self.at.isoformat()})

    @classmethod
    def read(cls, value: str, subject: str = "") -> Self:
        """Return what `write` has written; what an earlier version or a person wrote is taken for a key."""
        try:
            found: dict[str, Any] = json.loads(value)
            urgency = Urgency(found["incident"]["urgency"])
            known = {
                "incident": Incident(**found["incident"] | {"urgency": urgency}),
                "at": datetime.fromisoformat(found["at"]),
                "told": tuple(found["told"]),
                "unsent": tuple(found["unsent"]),
            }
            return cls(**found | known)
        except (ValueError, KeyError, TypeError):
            return cls(Incident(value, subject or value, ""), datetime.now(UTC))


def variable(key: str) -> str:
    """Return the name of an incident's Variable."""
    return PREFIX + sha256(key.encode()).hexdigest()[:12]


def recall(key: str) -> Told | None:
    """Return what is remembered of an incident, asked by a task, trigger or callback."""
    value = Variable.get(variable(key), default=None)
    return Told.read(value) if value else None


def remember(one: Told) -> None:
    """Write down who knows of an incident."""
    Variable.set(variable(one.incident.key), one.write(), description=one.incident.subject)


def forget(one: Told) -> None:
    """Remember an incident no more; when it comes again it is a new one."""
    Variable.delete(variable(one.incident.key))


def every(api: AirflowApi) -> list[Told]:
    """Return all that is remembered; nothing to a user who may not see Variables."""
    try:
        found = list(api.every("variables", "variables", variable_key_prefix_pattern=PREFIX))
    except AirflowApiError as error:
        if error.status == HTTPStatus.FORBIDDEN:
            return []
        raise
    return [Told.read(one["value"], one["description"]) for one in found]
