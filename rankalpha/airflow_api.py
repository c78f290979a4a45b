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
        _check(response, f"{method} {url}")
        answer: dict[str, Any] = response.json()
        return answer

    def _log_in(self) -> None:
        response = self._session.post(f"{self.url}/auth/token", json=self._credentials, timeout=TIMEOUT)
        _check(response, f"Airflow does not let {self._credentials['username']!r} in")
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"


def _check(response: requests.Response, what: str) -> None:
    """Raise AirflowApiError for a refusal, requests.HTTPError for a server's trouble, which may pass."""
    if response.status_code >= requests.codes.server_error:
        response.raise_for_status()
    if not response.ok:
        raise AirflowApiError(f"{what}: {response.status_code} {response.text[:500]}")
