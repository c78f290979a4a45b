"""HTTP for the two services that headlines and ratings come from: bounded in time, size and number."""

import json
import re
import time
from dataclasses import dataclass

import httpx

from apps.common.stage import BadConfig
from apps.common.transient import Patience, Unavailable, may_pass, retry_after

LARGEST = 5 * 1024 * 1024  # bytes of an answer; a feed has some 100 kB
BEGINNING = 200  # bytes of an answer in which its error stands
STATUS = re.compile(r"[45]\d\d")
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,60}")
UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"  # in the texts of Python's ssl
PROXIES = "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY"


@dataclass(frozen=True)
class Answer:
    """What a service has answered, read to its end."""

    status: int
    content: bytes
    content_type: str

    @property
    def good(self) -> bool:
        """Whether the status is 2xx."""
        return httpx.codes.is_success(self.status)

    def json(self) -> object:
        """Return the content if it is JSON, else None."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    @property
    def code(self) -> str:
        """The code of an error as OpenAI writes it; an empty string without one."""
        body = self.json()
        error = body.get("error", body) if isinstance(body, dict) else None
        named = [error.get(key) for key in ("code", "type")] if isinstance(error, dict) else []
        return next((name for name in named if isinstance(name, str) and CODE.fullmatch(name)), "")

    @property
    def status_and_code(self) -> str:
        """Status and code, such as "HTTP 400 content_filter"; not the text, which may repeat the key."""
        return f"HTTP {self.status} {self.code}".rstrip()


class Service:
    """Sends requests to one service, repeated while that can help; for several threads."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        try:
            self._client = httpx.Client(timeout=patience.timeout)
        except (ValueError, ImportError, httpx.InvalidURL) as error:  # of a proxy in the environment
            raise BadConfig(f"{PROXIES}: one of them cannot be used: {error}") from error

    def send(self, method: str, url: str, setting: str, **parts: object) -> Answer:
        """Return the answer to a request, whatever it is, unless a later attempt may get another one.

        A GET follows redirects. Raises Unavailable, naming host and status but neither headers nor body, when
        the last attempt fails too, and BadConfig, naming the `setting`, for something that is not an address.
        """
        try:
            request = self._client.build_request(method, url, **parts)  # type: ignore[arg-type]
        except httpx.InvalidURL as error:
            raise BadConfig(f"{setting}: {error}; expected an http:// or https:// address") from error
        return self._patience.retrying()(self._once, request, setting)

    def _once(self, request: httpx.Request, setting: str) -> Answer:
        try:
            response = self._client.send(request, stream=True, follow_redirects=request.method == "GET")
            try:
                content = self._read(response)
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            host, kind = request.url.host, type(error).__name__
            if not may_pass(error):  # where a redirect leads
                raise BadConfig(
                    f"{setting}: {host} leads to an address that cannot be asked: {kind}"
                ) from error
            if UNTRUSTED in str(error):
                raise Unavailable(
                    f"{host} has a certificate that is not trusted; see SSL_CERT_FILE"
                ) from error
            raise Unavailable(f"{host} did not answer: {kind}") from error
        answer = Answer(_status(response, content), content, response.headers.get("content-type", ""))
        if may_pass(answer.status):
            seconds = retry_after(response.headers.get("retry-after"))
            raise Unavailable(f"{request.url.host} answered {answer.status_and_code}", seconds)
        return answer

    def _read(self, response: httpx.Response) -> bytes:
        """Return the body, cut at LARGEST bytes."""
        content, end = bytearray(), time.monotonic() + self._patience.timeout
        for piece in response.iter_bytes():
            content += piece
            if len(content) > LARGEST:
                break
            if time.monotonic() > end:  # httpx itself bounds the wait for each piece only
                raise httpx.ReadTimeout("the answer takes too long", request=response.request)
        return bytes(content[:LARGEST])


def _status(response: httpx.Response, content: bytes) -> int:
    """Return the status, or that of an error which some gateways send as a good answer."""
    if response.is_success and b'"error"' in content[:BEGINNING]:
        body = Answer(response.status_code, content, "").json()
        error = body.get("error") if isinstance(body, dict) and "choices" not in body else None
        code = str(error.get("code", error.get("status"))) if isinstance(error, dict) else ""
        if STATUS.fullmatch(code):
            return int(code)
    return response.status_code
