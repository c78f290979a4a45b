"""A client of Airflow's public REST API: what the operator scripts and the maintenance need of it."""

from typing import Any

import requests

TIMEOUT = 30.0  # seconds, each request


class AirflowApiError(Exception):
    """Airflow refused a request; the message holds its answer."""


class AirflowApi:
    """Calls Airflow with a token of the given user; an expired token is renewed once a call.

    A path is below /api/v2, unless it begins with a slash.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._credentials = {"username": user, "password": password}
        self._session = requests.Session()

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """GET <path>; raises requests.RequestException or AirflowApiError."""
        return self._call("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any], timeout: float = TIMEOUT) -> dict[str, Any]:
        """POST <path>, waiting `timeout` seconds; raises requests.RequestException or AirflowApiError."""
        return self._call("POST", path, json=body, timeout=timeout)

    def _call(self, method: str, path: str, timeout: float = TIMEOUT, **arguments: Any) -> dict[str, Any]:
        url = f"{self.url}{path if path.startswith('/') else f'/api/v2/{path}'}"
        response = self._session.request(method, url, timeout=timeout, **arguments)
        if response.status_code == requests.codes.unauthorized:
            self._log_in()
            response = self._session.request(method, url, timeout=timeout, **arguments)
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
