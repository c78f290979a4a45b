"""Who may read what the operators' page reads, and what it answers to nonsense."""

import pytest
import requests

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.pipeline.pipelines import STEPS

KEY = "2022-02-10T06:00:00"
OVERVIEW, LINEAGE = "/rankalpha/overview", f"/rankalpha/lineage/{KEY}"
ACTIONS = {"viewer": [], "user": ["rerun"], "op": ["rerun", "publish"]}


@pytest.fixture(scope="module")
def batch(lane):
    lane.ingest(KEY)


@pytest.fixture(scope="module")
def nobody(lane):
    """The password of a user whose role has no rights."""
    lane.api.post("/auth/fab/v1/roles", {"name": "Nobody", "actions": []})
    user = {"username": "nobody", "password": "sesame-17", "email": "nobody@localhost"}
    user |= {"first_name": "n", "last_name": "n", "roles": [{"name": "Nobody"}]}
    lane.api.post("/auth/fab/v1/users", user)
    return "sesame-17"


@pytest.mark.parametrize("path", [OVERVIEW, LINEAGE, "/rankalpha/comparison/rival"])
def test_who_is_not_signed_in_reads_nothing(lane, path):
    url = lane.api.url + path
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, headers={"Authorization": "Bearer x"}, timeout=10).status_code in (401, 403)
    assert requests.get(url, cookies={"_token": "x"}, timeout=10).status_code in (401, 403)
    assert requests.get(url, auth=("rankalpha", "rankalpha"), timeout=10).status_code == 401


@pytest.mark.parametrize("path", [OVERVIEW, LINEAGE])
def test_who_may_not_read_dags_reads_nothing(lane, batch, nobody, path):
    with pytest.raises(AirflowApiError, match=r"403|404"):
        AirflowApi(lane.api.url, "nobody", nobody).get(path, market=lane.market.name)


@pytest.mark.parametrize("role", ACTIONS)
def test_each_role_reads_it_and_what_it_may_do(lane, batch, password, role):
    api = AirflowApi(lane.api.url, role, password)
    found = api.get(OVERVIEW, days=1, market=lane.market.name)
    assert found["user"]["name"] == role
    assert set(map(tuple, found["user"]["rights"].values())) == {tuple(ACTIONS[role])}
    (mine,) = (one for one in found["batches"] if one["batch"] == KEY)
    assert {step["state"] for step in mine["steps"]} == {"done"}
    lineage = api.get(LINEAGE, market=lane.market.name)
    assert [step["step"] for step in lineage["steps"]] == [step.name for step in STEPS]
    assert all(step["output"] and step["runs"][0]["tries"] for step in lineage["steps"])


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("user", 403), ("op", 409)])
def test_publishing_anyway_takes_the_rights_that_it_needs_in_airflow(lane, batch, password, role, status):
    api = AirflowApi(lane.api.url, role, password)
    body = {"batch": KEY, "dataset": "scores", "reason": "it is right", "market": lane.market.name}
    with pytest.raises(AirflowApiError) as refused:
        api.post("/rankalpha/publish-anyway", body)
    expected = "is not blocked" if status == 409 else "You need the right to write XComs"
    assert (refused.value.status, expected in refused.value.detail) == (status, True)


def test_the_cookie_of_the_ui_will_do_and_no_answer_is_kept(lane, batch):
    token = requests.post(
        f"{lane.api.url}/auth/token", json={"username": "rankalpha", "password": "rankalpha"}, timeout=10
    ).json()["access_token"]
    for path in (OVERVIEW, LINEAGE):
        answer = requests.get(
            lane.api.url + path,
            params={"market": lane.market.name},
            cookies={"_token": token},
            timeout=30,
        )
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert token not in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{OVERVIEW}?days=0", 422),
        (f"{OVERVIEW}?days=91", 422),
        (f"{OVERVIEW}?days=nan", 422),
        (f"{OVERVIEW}?market=gone", 404),
        (f"{LINEAGE}?market=gone", 404),
        ("/rankalpha/lineage/yesterday", 422),
        ("/rankalpha/lineage/2022-02-30T06:00:00", 404),
        ("/rankalpha/lineage/2022-02-11T06:00:00", 404),
    ],
)
def test_nonsense_is_refused(lane, path, status):
    with pytest.raises(AirflowApiError) as refused:
        lane.api.get(path)
    assert refused.value.status == status
