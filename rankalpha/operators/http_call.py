"""Calls a service through the HTTP provider; slow to load, so only running tasks import it."""

import json
from collections.abc import Mapping
from typing import Any

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from requests import RequestException, Response, codes
from requests.exceptions import InvalidProxyURL, InvalidSchema, InvalidURL, MissingSchema

from rankalpha.no_proxy import direct
from rankalpha.pipeline.reuse import CONTENT
from rankalpha.pipeline.versions import CHECKSUM, VERSION
from rankalpha.settings import SettingsError
from rankalpha.stages.call import Call
from rankalpha.stages.given import check_result
from rankalpha.stages.profile import Profile
from rankalpha.stages.result import parse_result
from rankalpha.stages.storable import ResultError, ResultNotStored, read_json
from rankalpha.texts import ANSWER, cut, shown
from rankalpha.usable import url_problem

LONGEST = 24 * 3600  # seconds to wait for an answer; the task's own limit is shorter
UNUSABLE = (
    InvalidProxyURL,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
)  # errors of an address, not of its server
NOT_OFFERED = {codes.not_found, codes.method_not_allowed}
MAY_HEAL = {codes.request_timeout, codes.too_early, codes.too_many_requests}


class ServiceError(AirflowException):
    """A service did not answer as agreed; another attempt may succeed."""


class SettingHook(HttpHook):
    """HttpHook whose base URL comes from a setting: `http_conn_id` is the URL, and no stored connection."""

    @classmethod
    def get_connection(cls, conn_id: str) -> Connection:
        """Return the base URL as a connection."""
        return Connection(conn_id="setting", conn_type="http", host=conn_id.rstrip("/"))


def make(
    call: Call, profile: Profile, batch: str, log: Any, more: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Make `call` for `batch` and return the JSON object of the answer; `more` is said in its body.

    `profile` has the call's settings. Raises SettingsError for a setting that is not usable,
    AirflowFailException for an answer 4xx, and ServiceError for everything that another attempt may solve.
    """
    url, method = profile.get(call.url_key), profile.get(f"{call.name}_METHOD").upper()
    path, timeout = profile.line(f"{call.name}_PATH"), profile.number(f"{call.name}_TIMEOUT", LONGEST)
    if method not in ("GET", "POST", "PUT"):
        raise SettingsError(f"{call.name}_METHOD={shown(method)} is not GET, POST or PUT")
    if problem := url_problem(url):
        raise SettingsError(f"{call.url_key}={shown(url)} {problem}")
    log.info("Batch %s: %s %s%s", batch, method, url, path)
    body = {"data": call.about(batch)} if method == "GET" else {"json": {**call.about(batch), **(more or {})}}
    try:
        response = SettingHook(method, http_conn_id=url).run(
            path,
            extra_options={
                "check_response": False,
                "timeout": timeout,
                "proxies": direct(url),
            },
            **body,
        )
    except UNUSABLE as error:
        raise SettingsError(
            f"{call.url_key}={shown(url)} and {call.name}_PATH={shown(path)}: {error}"
        ) from error
    except RequestException as error:
        raise ServiceError(f"{method} {url}{path} failed: {error}") from error
    if call.optional and response.status_code in NOT_OFFERED:
        log.info("Batch %s: this service does not offer %s, and need not", batch, call.name)
        return {}
    return _agreed(response, call.about(batch))


def _agreed(response: Response, about: Mapping[str, str]) -> dict[str, Any]:
    """Return the JSON object of an answer; raise unless it is one, and about the batch of the call."""
    where = f"{response.request.method} {response.url} answered {response.status_code}"
    if not response.ok:
        final = response.status_code < codes.server_error and response.status_code not in MAY_HEAL
        raise (AirflowFailException if final else ServiceError)(f"{where}: {cut(response.text, ANSWER)}")
    try:
        answer = read_json(response.content)
    except ResultNotStored as error:  # the service has done its work, and would answer the same again
        raise AirflowFailException(f"{where}, but {error}") from error
    except ResultError as error:
        raise ServiceError(f"{where}, but not with JSON: {cut(response.text, ANSWER)!r}") from error
    if not isinstance(answer, dict) or any(answer.get(key) not in (None, about[key]) for key in about):
        expected = " of ".join(about.values())
        raise ServiceError(f"{where}, but not about batch {expected}: {cut(response.text, ANSWER)!r}")
    return answer


def result_of(
    answer: dict[str, Any],
    batch: str,
    output: str = "",
    inputs: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Any] | None:
    """Return the answer of a grading refresh as a result; None for a service that reports no figures.

    `output` is the folder of the version that it was asked to write, empty when it was not asked for one, and
    `inputs` are the versions that it was asked to read.
    """
    if not {"graded", "as_of"} <= answer.keys():
        return None
    figures = {
        "rows": answer["graded"],
        "symbols": answer["graded"],
        "details": answer.get("distribution", {}),
    }
    as_given: dict[str, Any] = {key: answer[key] for key in ("as_of", "checksum") if key in answer}
    if output and isinstance(answer.get(VERSION), dict):  # a service that takes no part has no version
        as_given[VERSION] = answer[VERSION]
    if CHECKSUM.fullmatch(str(answer.get(CONTENT))):
        as_given[CONTENT] = answer[CONTENT]
    try:
        result = parse_result(json.dumps({**figures, **as_given}).encode(), batch)
        check_result(result, f"/{output}", "", inputs)
    except ResultError as error:
        raise ServiceError(f"unexpected answer: {error}") from error
    return result
