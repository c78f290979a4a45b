import threading

import pytest
import requests as http

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.fake_airflow import FakeAirflow, serving


def test_the_first_call_fetches_a_token():
    with serving(FakeAirflow()) as (api, requests):
        assert api.get("importErrors") == {"import_errors": []}
        api.get("importErrors")
    assert [request.path for request in requests] == [
        "/api/v2/importErrors",
        "/auth/token",
        "/api/v2/importErrors",
        "/api/v2/importErrors",
    ]


def test_an_address_may_end_with_a_slash():
    with local_server(lambda request: (200, {"path": request.path})) as (url, _):
        answer = AirflowApi(f"{url}/airflow/", "rankalpha", "sesame").get("dags")
    assert answer == {"path": "/airflow/api/v2/dags"}


def test_a_path_from_the_root_is_not_put_below_the_api():
    with local_server(lambda request: (200, {"path": request.path, "body": request.json()})) as (url, _):
        answer = AirflowApi(f"{url}/airflow", "rankalpha", "sesame").post("/rankalpha/x", {"a": 1}, timeout=5)
    assert answer == {"path": "/airflow/rankalpha/x", "body": {"a": 1}}


def test_a_call_may_be_given_its_own_time():
    slow = threading.Event()
    with local_server(lambda _: (200, {"ok": slow.wait(5)})) as (url, _):
        api = AirflowApi(url, "rankalpha", "sesame")
        with pytest.raises(http.Timeout):
            api.post("dags", {}, timeout=0.2)
        slow.set()


def test_an_expired_token_is_renewed():
    airflow = FakeAirflow()
    with serving(airflow) as (api, requests):
        api.get("importErrors")
        airflow.token = "token-2"
        assert api.get("importErrors") == {"import_errors": []}
    assert [request.path for request in requests].count("/auth/token") == 2


def test_a_token_that_other_keys_have_signed_is_renewed():
    airflow = FakeAirflow()
    with serving(airflow) as (api, requests):
        api.get("importErrors")
        airflow.trouble = [(403, {"detail": "Invalid JWT token"})]  # as Airflow says it
        assert api.get("importErrors") == {"import_errors": []}
    assert [request.path for request in requests].count("/auth/token") == 2


def test_a_callers_token_is_carried_and_never_replaced():
    airflow = FakeAirflow()
    with serving(airflow) as (api, requests):
        theirs = AirflowApi.with_token(api.url, airflow.token)
        assert theirs.get("importErrors") == {"import_errors": []}
        airflow.token = "token-2"
        with pytest.raises(AirflowApiError, match="401") as refused:
            theirs.get("importErrors")
    assert refused.value.status == 401
    assert "/auth/token" not in [request.path for request in requests]


def test_parameters_and_bodies_arrive():
    with serving(FakeAirflow()) as (api, requests):
        api.get("dags/rankalpha_scoring/dagRuns", order_by="-run_after", limit=1, state=["running", "queued"])
        run = api.post("dags/rankalpha_ingestion/dagRuns", {"partition_key": "2025-11-20T06:00:00"})
    assert requests[2].query["state"] == ["running", "queued"]
    assert run["partition_key"] == "2025-11-20T06:00:00"


def test_a_wrong_password_is_reported_with_the_user_and_without_the_password():
    refused = pytest.raises(AirflowApiError, match="Airflow does not let 'rankalpha' in: 401")
    with serving(FakeAirflow(), password="wr0ng") as (api, requests), refused as caught:
        api.get("importErrors")
    assert "wr0ng" not in str(caught.value)
    assert len(requests) == 2


def test_a_token_that_is_refused_again_is_no_endless_loop():
    with (
        local_server(lambda one: (201, {"access_token": "x"}) if "token" in one.path else (401, "")) as (
            url,
            seen,
        ),
        pytest.raises(AirflowApiError, match=f"GET {url}/api/v2/dags: 401"),
    ):
        AirflowApi(url, "rankalpha", "sesame").get("dags")
    assert len(seen) == 3


def test_a_refusal_is_quoted():
    with (
        serving(FakeAirflow()) as (api, _),
        pytest.raises(AirflowApiError, match=r"GET http.*/api/v2/dags/absent: 404 .*no /api/v2/dags/absent"),
    ):
        api.get("dags/absent")


@pytest.mark.parametrize("trouble", [(500, "oops"), (503, "starting"), (200, "<html>")])
def test_a_servers_trouble_may_pass(trouble):
    airflow = FakeAirflow()
    airflow.trouble = [trouble]
    with serving(airflow) as (api, _):
        with pytest.raises(http.RequestException):
            api.get("importErrors")
        assert api.get("importErrors") == {"import_errors": []}
