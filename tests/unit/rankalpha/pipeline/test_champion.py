"""The champion of a batch: who approves another model changes nothing for batches that are due already."""

from datetime import UTC, datetime

import pytest

from rankalpha.pipeline.champion import MAX_CHAMPIONS, champion_at, problem_of_name, with_champion
from rankalpha.pipeline.versions import Version

FIRST, SECOND = (Version(f"models/2026-11-{day}T06:00:00/trainer-1-1", f"{day}" * 32) for day in ("01", "08"))
HISTORY = with_champion([], FIRST, "2026-11-01T06:00:00", datetime(2026, 11, 2, 12, tzinfo=UTC), "ann")
HISTORY = with_champion(HISTORY, SECOND, "2026-11-08T06:00:00", datetime(2026, 11, 9, 12, tzinfo=UTC), "bob")


@pytest.mark.parametrize(
    ("batch", "model"),
    [
        ("2026-11-02T06:00:00", None),
        ("2026-11-03T06:00:00", FIRST),
        ("2026-11-09T11:59:59", FIRST),  # under way when the second one is approved
        ("2026-11-09T12:00:00", SECOND),
        ("2026-11-20T06:00:00", SECOND),
    ],
)
def test_a_batch_has_the_champion_of_its_time_whenever_it_runs(batch, model):
    assert champion_at(HISTORY, batch) == model


def test_the_history_says_who_and_when_and_is_bounded():
    assert [(each["by"], each["at"], each["batch"]) for each in HISTORY] == [
        ("ann", "2026-11-02T12:00:00+00:00", "2026-11-01T06:00:00"),
        ("bob", "2026-11-09T12:00:00+00:00", "2026-11-08T06:00:00"),
    ]
    entries = HISTORY
    for _ in range(MAX_CHAMPIONS):
        entries = with_champion(entries, FIRST, "b", datetime(2026, 11, 10, tzinfo=UTC), "ann")
    assert len(entries) == MAX_CHAMPIONS


def test_a_model_is_named_as_champion_or_by_its_batch():
    assert problem_of_name("champion") == problem_of_name("2026-11-01T06:00:00") == ""
    for name in ("challenger", "2026-11-01", "2999-01-01T00:00:00"):
        assert "expected champion, or the batch" in problem_of_name(name)
