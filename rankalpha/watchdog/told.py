"""Remembers which incidents a person was told of: an Airflow Variable each, made by who tells it first."""

from collections.abc import Collection
from hashlib import sha256

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.watchdog.incidents import Incident

PREFIX = "rankalpha_incident_"
CONFLICT = 409  # there is one of that name


def variable(key: str) -> str:
    """Return the name of an incident's Variable."""
    return PREFIX + sha256(key.encode()).hexdigest()[:12]


def claim(api: AirflowApi, incident: Incident) -> bool:
    """Tell whether nobody was told of the incident yet; from now on somebody was."""
    body = {"key": variable(incident.key), "value": incident.key, "description": incident.subject}
    try:
        api.post("variables", body)
    except AirflowApiError as error:
        if error.status == CONFLICT:
            return False
        raise
    return True


def forget_all_but(api: AirflowApi, incidents: Collection[Incident]) -> list[str]:
    """Forget the incidents that are over; return their subjects."""
    lasting = {variable(incident.key) for incident in incidents}
    over = [
        one
        for one in api.every("variables", "variables", variable_key_prefix_pattern=PREFIX)
        if one["key"] not in lasting
    ]
    for one in over:
        api.delete(f"variables/{one['key']}")
    return [one["description"] or one["value"] for one in over]
