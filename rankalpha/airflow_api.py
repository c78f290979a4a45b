"""A client of Airflow's public REST API, for the commands, the watchdog, the page and the maintenance."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import requests

from rankalpha.no_proxy import direct
from rankalpha.settings import AdminSettings, settings
from rankalpha.texts import ANSWER, cut

# our own routes of the API server
OWN_ROUTES = "/rankalpha"  # where the plugin serves them
REPAIR = "/joins/repair"
PRUNE = "/metadata/prune"
PUBLISH_ANYWAY = "/publish-anyway"

TIMEOUT = 30.0  # seconds, each request
PAGE = 100  # Airflow lists no more at once


class AirflowApiError(Exception):
    """Airflow refused a request: the message holds its answer, `status` its status, `detail` the reason."""

    def __init__(self, message: str, status: int, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


class AirflowApi:
    """Calls Airflow with a token of the given user, and renews an expired token once for each call.

    A path is relative to /api/v2, unless it begins with a slash.
    """

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        self._credentials: dict[str, str] | None = {"username": user, "password": password}
        self._session = requests.Session()

    @classmethod
    def with_token(cls, url: str, token: str) -> "AirflowApi":
        """Return a client with the rights of a token, which is not renewed."""
        api = cls(url, "", "")
        api._credentials = None
        api._session.headers["Authorization"] = f"Bearer {token}"
        return api

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """GET <path>; raises requests.RequestException or AirflowApiError."""
        return self._call("GET", path, params=params)

    def every(self, path: str, name: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield what GET <path> lists as `name`, page by page; raises as `get` does."""
        for offset in count(0, PAGE):
            page = self.get(path, limit=PAGE, offset=offset, **params)[name]
            yield from page
            if len(page) < PAGE:
                return

    def post(self, path: str, body: dict[str, Any], timeout: float = TIMEOUT) -> dict[str, Any]:
        """POST <path>, waiting `timeout` seconds; raises requests.RequestException or AirflowApiError."""
        return self._call("POST", path, json=body, timeout=timeout)

    def patch(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """PATCH <path>; raises requests.RequestException or AirflowApiError."""
        return self._call("PATCH", path, json=body)

    def delete(self, path: str) -> None:
        """DELETE <path>; raises requests.RequestException or AirflowApiError."""
        self._send("DELETE", path)

    def _call(self, method: str, path: str, timeout: float = TIMEOUT, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._send(method, path, timeout, **arguments).json()
        return answer

    def _send(self, method: str, path: str, timeout: float = TIMEOUT, **arguments: Any) -> requests.Response:
        url = f"{self.url}{path if path.startswith('/') else f'/api/v2/{path}'}"
        response = self._request(method, url, timeout=timeout, **arguments)
        if self._credentials and _is_stale(response):
            self._log_in(self._credentials)
            response = self._request(method, url, timeout=timeout, **arguments)
        _check(response, f"{method} {url}")
        return response

    def _request(self, method: str, url: str, **arguments: Any) -> requests.Response:
        try:
            return self._session.request(method, url, proxies=direct(url), **arguments)
        except requests.ConnectionError as error:
            raise requests.ConnectionError(
                f"Airflow does not answer at {self.url}: is it running?"
            ) from error

    def _log_in(self, credentials: dict[str, str]) -> None:
        response = self._request("POST", f"{self.url}/auth/token", json=credentials, timeout=TIMEOUT)
        _check(response, f"Airflow does not let {credentials['username']!r} in")
        self._session.headers["Authorization"] = f"Bearer {response.json()['access_token']}"


def is_held(dag: Mapping[str, Any]) -> bool:
    """Return whether a DAG, as Airflow answers it, begins no batch: it is paused, or about to be.

    From Airflow 3.4 on a DAG may be draining: it ends the runs that it has, and is paused then.
    """
    return bool(dag["is_paused"]) or dag.get("scheduling_state") == "draining"


def admin_api() -> AirflowApi:
    """Return a client with the rights of RANKALPHA_ADMIN_*; raises SettingsError."""
    admin = AdminSettings.load()
    return AirflowApi(settings().airflow_url, admin.user, admin.password.get_secret_value())


def _is_stale(response: requests.Response) -> bool:
    """Return whether Airflow wants a newer token; to a token that other keys have signed it answers 403."""
    forged = response.status_code == requests.codes.forbidden and "Invalid JWT token" in response.text
    return forged or response.status_code == requests.codes.unauthorized


def _check(response: requests.Response, what: str) -> None:
    """Raise AirflowApiError for a refusal, requests.HTTPError for a fault of the server, which may pass."""
    if response.status_code >= requests.codes.server_error:
        response.raise_for_status()
    if not response.ok:
        text = cut(response.text, ANSWER)
        raise AirflowApiError(
            f"{what}: {response.status_code} {text}", response.status_code, _detail(response)
        )


def _detail(response: requests.Response) -> str:
    """Return the reason in an answer of the API; all of another answer."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return cut(response.text, ANSWER)
