"""Calls to RankAlpha's API and frontend, through the HTTP provider."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Asset, BaseOperator, Connection, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from requests import RequestException, Response, codes

from rankalpha.batch import BatchError, batch_of
from rankalpha.profile import Profile
from rankalpha.result import ResultError, parse_result
from rankalpha.settings import SettingsError, settings

MAY_HEAL = {codes.request_timeout, codes.too_early, codes.too_many_requests}


class ServiceError(AirflowException):
    """A service did not answer as agreed; it may do so when asked again."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call that a service offers. Each part is a setting of env/<profile>/api.env or a Variable.

    With `name` GRADING: GRADING_METHOD, GRADING_PATH and GRADING_TIMEOUT (seconds); `url_key` names the
    setting of the base URL, `settings().<url_default>` its default.
    """

    name: str
    url_key: str
    url_default: str
    path: str

    def profile(self) -> Profile:
        """Look the call's settings up."""
        defaults = {
            self.url_key: getattr(settings(), self.url_default),
            f"{self.name}_METHOD": "POST",
            f"{self.name}_PATH": self.path,
            f"{self.name}_TIMEOUT": "60",
        }
        return Profile.load("api", defaults)


GRADING_REFRESH = Call(
    name="GRADING", url_key="API_URL", url_default="api_url", path="/api/v1/grading/refresh"
)
FRONTEND_REFRESH = Call(
    name="FRONTEND", url_key="FRONTEND_URL", url_default="frontend_url", path="/api/refresh-data"
)


class SettingHook(HttpHook):
    """HttpHook whose base URL comes from a setting instead of a stored connection."""

    def __init__(self, url: str, method: str) -> None:
        super().__init__(method=method, http_conn_id=url)

    def get_connection(self, conn_id: str) -> Connection:  # type: ignore[override]  # a classmethod upstream
        """Return the base URL as a connection."""
        return Connection(conn_id="setting", conn_type="http", host=conn_id.rstrip("/"))


class ServiceOperator(BaseOperator):
    """Make `call` for the batch of this run and push XComs `batch` and `result`, as a stage does.

    A batch is found as by StageOperator when the task `consumes` datasets, else taken from the first task.
    An answer 4xx is final; no connection, no answer in time, 5xx or an unexpected answer are tried again.
    """

    def __init__(
        self, *, call: Call, consumes: Sequence[Asset] = (), batch_from: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(
            inlets=list(consumes), execution_timeout=timedelta(minutes=15), do_xcom_push=False, **kwargs
        )
        self.call = call
        self.consumes = tuple(consumes)
        self.batch_from = batch_from

    def execute(self, context: Context) -> None:
        """Call the service and check that it speaks of this batch."""
        ti = context["ti"]
        try:
            batch = self._batch(context)
            ti.xcom_push(key="batch", value=batch)
            answer = self._ask(batch)
        except (BatchError, SettingsError) as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("Batch %s: %s answered %s", batch, self.call.name, answer)
        ti.xcom_push(key="result", value=_result(answer, batch))

    def _batch(self, context: Context) -> str:
        if not self.batch_from:
            return batch_of(context, self.consumes, self.log)
        batch = context["ti"].xcom_pull(task_ids=self.batch_from, key="batch")
        if not batch:
            raise BatchError(f"{self.batch_from} left no batch; run it before this task")
        return str(batch)

    def _ask(self, batch: str) -> dict[str, Any]:
        profile = self.call.profile()
        url, method = profile.get(self.call.url_key), profile.get(f"{self.call.name}_METHOD").upper()
        path = profile.get(f"{self.call.name}_PATH")
        if method not in ("GET", "POST", "PUT"):
            raise SettingsError(f"{self.call.name}_METHOD={method!r} is not GET, POST or PUT")
        if not url.startswith(("http://", "https://")):
            raise SettingsError(f"{self.call.url_key}={url!r} is no http or https address")
        self.log.info("Batch %s: %s %s%s", batch, method, url, path)
        body: dict[str, Any] = {"data": {"batch": batch}} if method == "GET" else {"json": {"batch": batch}}
        try:
            response = SettingHook(url, method).run(
                path,
                extra_options={
                    "check_response": False,
                    "timeout": profile.number(f"{self.call.name}_TIMEOUT"),
                },
                **body,
            )
        except RequestException as error:
            raise ServiceError(f"{method} {url}{path} failed: {error}") from error
        return _agreed(response, batch)


def _agreed(response: Response, batch: str) -> dict[str, Any]:
    """Return the answer's JSON object when it is one and speaks of `batch`."""
    where = f"{response.request.method} {response.url} answered {response.status_code}"
    if not response.ok:
        final = response.status_code < codes.server_error and response.status_code not in MAY_HEAL
        raise (AirflowFailException if final else ServiceError)(f"{where}: {response.text[:500]}")
    try:
        answer = response.json()
    except ValueError as error:
        raise ServiceError(f"{where} with something else than JSON: {response.text[:200]!r}") from error
    if not isinstance(answer, dict) or answer.get("batch") not in (None, batch):
        raise ServiceError(f"{where}, but not about batch {batch}: {response.text[:200]!r}")
    return answer


def _result(answer: dict[str, Any], batch: str) -> dict[str, Any] | None:
    """Return the answer of a grading refresh as a result; None for a service that tells no figures."""
    if not {"graded", "as_of"} <= answer.keys():
        return None
    figures = {
        "rows": answer["graded"],
        "symbols": answer["graded"],
        "details": answer.get("distribution", {}),
    }
    kept = {key: answer[key] for key in ("as_of", "checksum") if key in answer}
    try:
        return parse_result(json.dumps({**figures, **kept}).encode(), batch)
    except ResultError as error:
        raise ServiceError(f"unexpected answer: {error}") from error
