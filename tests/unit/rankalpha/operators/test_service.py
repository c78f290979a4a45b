import socket
import threading

import pytest
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.operators.http_call import ServiceError
from rankalpha.operators.service import ServiceOperator
from rankalpha.pipeline.market import Market
from rankalpha.stages.grading import FRONTEND_REFRESH, GRADING_REFRESH
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.task_context import TaskInstance, context, published

GRADED = {"batch": KEY, "as_of": "2025-11-19", "graded": 3, "distribution": {"A": 1, "B": 2}}
GRADED |= {"checksum": "sha256:" + "0a" * 32}
STORES = published(scores=[KEY], sentiment=[KEY])

pytestmark = pytest.mark.usefixtures("profile_dir")


def grading() -> ServiceOperator:
    return ServiceOperator(task_id="update_grading", call=GRADING_REFRESH, consumes=list(STORES))


def execute(monkeypatch, url: str, key: str | None = KEY) -> TaskInstance:
    monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
    ti = TaskInstance()
    grading().execute(context(key, ti, asset_state_store=STORES))
    return ti


def answered(monkeypatch, status: int, body: object) -> TaskInstance:
    with local_server(lambda _request: (status, body)) as (url, _):
        return execute(monkeypatch, url)


def test_the_batch_is_posted_and_its_figures_kept(monkeypatch):
    with local_server(lambda _request: (200, GRADED)) as (url, requests):
        ti = execute(monkeypatch, url)
    (request,) = requests
    assert (request.method, request.path) == ("POST", "/api/v1/grading/refresh")
    assert request.json()["batch"] == KEY
    assert request.headers["content-type"] == "application/json"
    assert ti.output["batch"] == KEY
    assert ti.output["result"] == {
        "rows": 3,
        "symbols": 3,
        "as_of": "2025-11-19",
        "checksum": GRADED["checksum"],
        "details": {"A": 1, "B": 2},
    }


def test_method_path_and_trailing_slash_are_settings(monkeypatch, profile_dir):
    (profile_dir / "api.env").write_text("GRADING_METHOD=get\nGRADING_PATH=/refresh\n")
    with local_server(lambda _request: (200, GRADED)) as (url, requests):
        execute(monkeypatch, f"{url}/rank/")
    (request,) = requests
    assert (request.method, request.path, request.query) == ("GET", "/rank/refresh", {"batch": [KEY]})
    assert request.body == b""


def test_a_service_of_ones_own_is_called_without_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with local_server(lambda _request: (200, GRADED)) as (url, requests):
        execute(monkeypatch, url)
    assert len(requests) == 1


def test_put_is_a_method_too(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_GRADING_METHOD", "PUT")
    with local_server(lambda _request: (200, GRADED)) as (url, requests):
        execute(monkeypatch, url)
    assert (requests[0].method, requests[0].json()["batch"]) == ("PUT", KEY)


def test_without_a_key_the_newest_batch_is_graded(monkeypatch):
    with local_server(lambda _request: (200, GRADED)) as (url, requests):
        assert execute(monkeypatch, url, key=None).output["batch"] == KEY
    assert requests[0].json()["batch"] == KEY


def test_the_address_is_a_setting_of_the_orchestration_by_default(monkeypatch):
    with local_server(lambda _request: (200, GRADED)) as (url, requests):
        monkeypatch.setenv("RANKALPHA_API_URL", url)
        grading().execute(context(asset_state_store=STORES))
    assert len(requests) == 1


def test_the_frontend_is_told_the_batch_of_the_first_task(monkeypatch):
    task = ServiceOperator(task_id="notify", call=FRONTEND_REFRESH, batch_from="update_grading")
    ti = TaskInstance(batch=KEY)
    with local_server(lambda _request: (200, {"status": "refreshed", "listeners": 0})) as (url, requests):
        monkeypatch.setenv("AIRFLOW_VAR_FRONTEND_URL", url)
        task.execute(context(None, ti))
    assert (requests[0].path, requests[0].json()) == ("/api/refresh-data", {"batch": KEY})
    assert ti.asked == ["update_grading"]
    assert ti.output["result"] is None


def test_the_frontend_is_not_called_without_a_batch(monkeypatch):
    task = ServiceOperator(task_id="notify", call=FRONTEND_REFRESH, batch_from="update_grading")
    with local_server(lambda _request: (200, {})) as (url, requests):
        monkeypatch.setenv("AIRFLOW_VAR_FRONTEND_URL", url)
        with pytest.raises(
            AirflowFailException, match="update_grading has no batch yet; run it before this task"
        ):
            task.execute(context(KEY))
    assert requests == []


def test_an_unknown_batch_fails_at_once_and_nothing_is_called(monkeypatch):
    never = pytest.raises(AirflowFailException, match="was never published in scores and sentiment")
    with local_server(lambda _request: (200, GRADED)) as (url, requests), never:
        execute(monkeypatch, url, key="2025-11-18T06:00:00")
    assert requests == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422])
def test_a_refusal_is_final_and_quoted(monkeypatch, status):
    with pytest.raises(AirflowFailException, match=rf"answered {status}: .*no such batch"):
        answered(monkeypatch, status, {"detail": "no such batch"})


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_heal_is_tried_again_by_airflow_and_not_here(monkeypatch, status):
    busy = pytest.raises(ServiceError, match=rf"POST http.*/api/v1/grading/refresh answered {status}: busy")
    with local_server(lambda _request: (status, "busy")) as (url, requests), busy:
        execute(monkeypatch, url)
    assert len(requests) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<html>Welcome</html>", "answered 200, but not with JSON: '<html>Welcome"),
        ("", "not with JSON: ''"),
        ([], f"answered 200, but not about batch {KEY}"),
        ("null", f"but not about batch {KEY}"),
        ({**GRADED, "batch": "2025-11-18T06:00:00"}, f"but not about batch {KEY}: .*2025-11-18T06:00:00"),
        ({**GRADED, "graded": "many"}, r"unexpected answer: .*\$\.rows"),
        ({**GRADED, "distribution": []}, r"unexpected answer: .*\$\.details"),
    ],
)
def test_an_answer_that_is_not_as_agreed_is_tried_again(monkeypatch, body, message):
    with pytest.raises(ServiceError, match=message):
        answered(monkeypatch, 200, body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (
            {**GRADED, "distribution": {"A": 2**64}},
            r"\$\.distribution\.A is 18446744073709551616, an integer",
        ),
        ({**GRADED, "distribution": {"\0": 1}}, r'\$\.distribution\["\\u0000"\]: its key holds'),
        ({**GRADED, "note": "\ud800"}, r"\$\.note holds U\+D800"),
        (
            f'{{"graded": 3, "graded": 3, "as_of": "2025-11-19", "batch": "{KEY}"}}',
            r"\$\.graded occurs twice",
        ),
        ("[" * 900 + "]" * 900, "nested more than 64 deep"),
    ],
)
def test_an_answer_that_cannot_be_stored_is_final(monkeypatch, body, place):
    with pytest.raises(AirflowFailException, match=f"answered 200, but .* cannot be stored: .*{place}"):
        answered(monkeypatch, 200, body)


def test_an_api_that_tells_no_figures_is_believed(monkeypatch):
    assert answered(monkeypatch, 200, {"status": "ok"}).output == {
        "batch": KEY,
        "result": None,
        "container": None,
        "failed": False,
    }
    assert (
        answered(monkeypatch, 200, {"batch": KEY, "graded": 3}).output["result"] is None
    )  # says not as of when


def test_a_long_answer_is_cut(monkeypatch):
    with pytest.raises(AirflowFailException) as caught:
        answered(monkeypatch, 404, "x" * 100_000)
    assert len(str(caught.value)) < 1000


def test_a_slow_service_is_given_up(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_GRADING_TIMEOUT", "0.2")

    given_up, answered = threading.Event(), []

    def silent(_request) -> tuple[int, object]:
        answered.append(given_up.wait(60))
        return 200, GRADED

    with local_server(silent) as (url, requests):
        with pytest.raises(ServiceError, match=r"failed: .*timed out"):
            execute(monkeypatch, url)
        assert (len(requests), answered) == (1, [])
        given_up.set()


def test_a_service_that_is_down_is_named(monkeypatch):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServiceError, match=f"POST {url}/api/v1/grading/refresh failed: .*refused"):
            execute(monkeypatch, url)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("GRADING_METHOD", "DELETE", "GRADING_METHOD='DELETE' is not GET, POST or PUT"),
        ("GRADING_METHOD", "", "GRADING_METHOD='' is not GET, POST or PUT"),
        ("GRADING_TIMEOUT", "soon", "GRADING_TIMEOUT='soon' is not a positive number"),
        ("GRADING_TIMEOUT", "0", "GRADING_TIMEOUT='0' is not a positive number"),
        ("API_URL", "", "API_URL='' is not an http or https address"),
        ("API_URL", "api:6080", "API_URL='api:6080' is not an http or https address"),
        ("API_URL", "ftp://api", "API_URL='ftp://api' is not an http or https address"),
        ("API_URL", "http://", "API_URL='http://' is not an http or https address"),
        ("API_URL", "http://api:99999", "API_URL='http://api:99999' is not an http or https address"),
        ("API_URL", "http://[::1", r"API_URL='http://\[::1' is not an http or https address"),
        ("API_URL", f"http://{'a' * 64}", "is not an http or https address"),
        ("API_URL", "http://a\nb", r"API_URL='http://a\\nb' holds the control character U\+000A"),
        ("API_URL", "http://\udce9", r"API_URL holds U\+DCE9, which is half a character"),
        ("GRADING_PATH", "", "GRADING_PATH='' is empty"),
        ("GRADING_PATH", "/a\nb", r"GRADING_PATH='/a\\nb' holds the control character U\+000A"),
        ("GRADING_TIMEOUT", "1e300", "GRADING_TIMEOUT='1e300' is too large; the maximum is 86400"),
        ("GRADING_TIMEOUT", "nan", "GRADING_TIMEOUT='nan' is not a positive number"),
    ],
)
def test_a_bad_setting_fails_at_once(monkeypatch, key, value, message):
    monkeypatch.setenv(f"AIRFLOW_VAR_{key}", value)
    with pytest.raises(AirflowFailException, match=message):
        grading().execute(context(asset_state_store=STORES))


def test_a_missing_profile_fails_at_once(monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_ENV_PROFILE", "prod")
    with pytest.raises(AirflowFailException, match="unknown profile 'prod'"):
        grading().execute(context(asset_state_store=STORES))


NYSE = GRADING_REFRESH.of(Market(name="nyse", profile="nyse"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_market_is_named_and_has_its_own_profile(monkeypatch, profile_dir, method):
    own = profile_dir.with_name("nyse")
    own.mkdir()
    with local_server(lambda _request: (200, {**GRADED, "market": "nyse"})) as (url, requests):
        (own / "api.env").write_text(f"API_URL={url}\nGRADING_METHOD={method}\n")
        operator = ServiceOperator(task_id="update_grading", call=NYSE, consumes=list(STORES))
        operator.execute(context(KEY, TaskInstance(), asset_state_store=STORES))
    (request,) = requests
    if method == "POST":
        said = request.json()
        assert (said["batch"], said["market"]) == (KEY, "nyse")
    else:
        assert request.query == {"batch": [KEY], "market": ["nyse"]}


def test_an_answer_about_another_market_is_not_as_agreed(monkeypatch, profile_dir):
    call = GRADING_REFRESH.of(Market(name="nyse"))
    with local_server(lambda _request: (200, {**GRADED, "market": "lse"})) as (url, _):
        monkeypatch.setenv("AIRFLOW_VAR_API_URL", url)
        operator = ServiceOperator(task_id="update_grading", call=call, consumes=list(STORES))
        with pytest.raises(ServiceError, match=f"not about batch {KEY} of nyse"):
            operator.execute(context(KEY, TaskInstance(), asset_state_store=STORES))
