"""A client of Airflow's public REST API: what the operator scripts need of it."""

from typing import Any

import requests

TIMEOUT = 30  # seconds, each request


class AirflowApiError(Exception):
    """Airflow refused a request; the message holds its answer."""


class AirflowApi:
    """Calls /api/v2 with a token of the given user; an expired token is renewed once a call."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._credentials = {"username": user, "password": password}
        self._session = requests.Session()

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """GET /api/v2/<path>; raises requests.RequestException or AirflowApiError."""
        return self._call("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST /api/v2/<path>; raises requests.RequestException or AirflowApiError."""
        return self._call("POST", path, json=body)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        url = f"{self.url}/api/v2/{path}"
        response = self._session.request(method, url, timeout=TIMEOUT, **arguments)
        if response.status_code == requests.codes.unauthorized:
            self._log_in()
            response = self._session.request(method, url, timeout=TIMEOUT, **arguments)
        if not response.ok:
            raise AirflowApiError(f"{method} {url}: {response.status_code} {response.text[:500]}")
        answer: dict[str, Any] = response.json()
        return answer

    def _log_in(self) -> None:
        response = self._session.post(f"{self.url}/auth/token", json=self._credentials, timeout=TIMEOUT)
        if not response.ok:
            user = self._credentials["username"]
            raise AirflowApiError(f"Airflow does not let {user!r} in: {response.status_code} {response.text[:200]}")
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
