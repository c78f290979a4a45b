"""HTTP with a timeout and a few retries, for the two services that headlines and sentiment may come from."""

import httpx
from tenacity import RetryCallState, retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from apps.common.stage import StageError

TIMEOUT_SECONDS = 30.0
ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 30.0
BACKOFF = wait_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS)  # 0.5, 1, 2 s


class Unavailable(StageError):
    """A service did not answer, or asked to come back later. Trying the stage again can help."""

    retry_after: float = 0.0  # seconds


def wait(state: RetryCallState) -> float:
    """Return the seconds until the next attempt: exponential, or as long as the service asked for."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Unavailable) else 0.0
    return max(BACKOFF(state), min(asked, LONGEST_WAIT_SECONDS))


@retry(retry=retry_if_exception_type(Unavailable), stop=stop_after_attempt(ATTEMPTS), wait=wait, reraise=True)
def send(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send a request until it is answered with something other than 429 or 5xx.

    Raises Unavailable, naming host and status but neither headers nor body, when the last attempt fails too.
    """
    try:
        response = client.send(request, follow_redirects=request.method == "GET")
    except httpx.TransportError as error:
        raise Unavailable(f"{request.url.host} did not answer: {type(error).__name__}") from error
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        unavailable = Unavailable(f"{request.url.host} answered HTTP {response.status_code}")
        seconds = response.headers.get("retry-after", "")
        unavailable.retry_after = float(seconds) if seconds.isdecimal() else 0.0
        raise unavailable
    return response
