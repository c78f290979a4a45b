"""Publishing an earlier version again: what is posted, and what is refused."""

import pytest

from rankalpha.commands.publish_version import publish_version
from rankalpha.commands.refusals import REFUSALS, Refused

KEY = "2025-11-20T06:00:00"
FIRST, SECOND = ({"path": f"prices/{KEY}/scorer-{n}-1", "sha256": f"{n}a" * 32} for n in (1, 2))


def event(dataset, version, moment):
    extra = {"rows": 3, "batch": KEY, **({"version": version} if version else {})}
    about = {
        "name": dataset,
        "partition_key": KEY,
        "asset_id": 7,
        "timestamp": f"2025-11-20T07:00:0{moment}Z",
    }
    return {**about, "extra": extra}


class Servers:
    """Airflow's API and RankAlpha's, as far as the command needs them."""

    def __init__(self):
        self.events = [event("scores", FIRST, 1), event("scores", SECOND, 2)]
        self.posted = []
        self.problems, self.wrong = [], ""
        self.refuses = ()

    def __call__(self, request):
        if request.path == "/api/v1/verify":
            wrong = ["its SHA-256 is another"] if request.query["sha256"] == [self.wrong] else []
            return 200, {"ok": not (self.problems or wrong), "problems": self.problems + wrong}
        if request.method == "GET":
            (name,) = request.query["name_prefix_pattern"]
            return 200, {"asset_events": [each for each in self.events if each["name"] == name]}
        if request.path in self.refuses:
            return 422, {"detail": "no"}
        self.posted.append((request.path, request.json()))
        return 200, {}


@pytest.fixture
def servers(serving):
    found = Servers()
    with serving(found):
        yield found


def publish(path=FIRST["path"], dataset="scores", key=KEY, reason=" the second lacks a sector "):
    return publish_version(key, dataset, path, reason, None)


def test_the_event_of_that_version_is_emitted_again_on_record(servers, capsys):
    assert publish() == 0
    ((path, body),) = servers.posted
    record = {"by": "rankalpha", "reason": "the second lacks a sector"}
    assert (path, body["asset_id"], body["partition_key"]) == ("/api/v2/assets/events", 7, KEY)
    assert body["extra"] == {**servers.events[0]["extra"], "republished": record}
    assert "rankalpha_grading starts by itself now" in capsys.readouterr().out


def test_grades_are_shown_too_and_the_page_is_notified(servers):
    servers.events = [event("grades", FIRST, 1), event("grades", SECOND, 2)]
    assert publish(dataset="grades") == 0
    assert servers.posted[:2] == [
        ("/api/v1/grading/publish", {"batch": KEY, "version": FIRST}),
        ("/api/refresh-data", {"batch": KEY}),
    ]
    assert servers.posted[2][0] == "/api/v2/assets/events"


def test_grades_that_cannot_be_shown_are_not_published(servers):
    servers.events = [event("grades", FIRST, 1), event("grades", SECOND, 2)]
    servers.refuses = ("/api/v1/grading/publish",)
    with pytest.raises(Refused, match="answered 422"):
        publish(dataset="grades")
    assert servers.posted == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": SECOND["path"]}, "scorer-2-1 is what batch .* has in scores now"),
        (
            {"path": "x"},
            "never published in scores as 'x'; it was as prices/.*/scorer-2-1, prices/.*/scorer-1-1",
        ),
        ({"dataset": "grades"}, "has no version in grades"),
        ({"dataset": "x"}, "there is no dataset 'x'; there are prices, scores, sentiment, grades"),
        ({"key": "yesterday"}, "'yesterday' is not a batch key"),
        ({"reason": " "}, "the reason is missing: it stays on record"),
    ],
)
def test_what_cannot_be_published_is_refused(servers, given, message):
    with pytest.raises(REFUSALS, match=message):
        publish(**given)
    assert servers.posted == []


def test_bytes_that_have_changed_are_refused(servers):
    servers.problems = ["/data/prices/x.parquet: missing"]
    with pytest.raises(Refused, match=r"is not as it was published: /data/prices/x.parquet: missing"):
        publish()
    assert servers.posted == []


def test_an_image_without_versions_does_not_hide_the_earlier_ones(servers):
    servers.events.append(event("scores", None, 3))
    assert publish(SECOND["path"]) == 0


@pytest.mark.parametrize(
    "posted", [{"files": {}}, {"path": None}, {"path": SECOND["path"]}, {**SECOND, "inputs": [1]}]
)
def test_a_version_that_a_person_has_posted_is_no_obstacle(servers, posted):
    servers.events.append(event("scores", posted, 3))
    assert publish() == 0
    assert servers.posted[0][1]["extra"]["version"] == FIRST


def test_a_posted_event_with_another_checksum_does_not_hide_the_version(servers):
    wrong = {**SECOND, "sha256": "ff" * 32}
    servers.events.append(event("scores", wrong, 3))
    assert publish(SECOND["path"]) == 0
    assert servers.posted[0][1]["extra"]["version"] == SECOND


def test_of_two_checksums_the_one_that_is_on_the_disk_is_published(servers):
    wrong = {**FIRST, "sha256": "ff" * 32}
    servers.events.insert(1, event("scores", wrong, 2))
    servers.wrong = wrong["sha256"]
    assert publish() == 0
    assert servers.posted[0][1]["extra"]["version"] == FIRST
