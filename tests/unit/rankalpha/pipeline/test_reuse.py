"""What a dataset's state store keeps of the newest batches, so that their versions can be used again."""

from rankalpha.pipeline.reuse import (
    MAX_RESULT,
    MAX_REUSABLE,
    contents,
    earlier_batches,
    listed_reusable,
    result_to_reuse,
)

KEYS = [f"2025-11-{day:02}T06:00:00" for day in range(1, 16)]


def extra(key, made_by="m", **parts):
    version = {"path": f"prices/{key}/scorer-1-1", "files": {"data": {"size": 1, "sha256": "0a" * 32}}}
    return {"batch": key, "checks": [1], "container": {}, "version": version, "made_by": made_by, **parts}


def store(*extras):
    entries = {}
    for each in extras:
        entries = listed_reusable(entries, each["batch"], each)
    return entries


def test_the_newest_batches_are_kept_and_of_an_event_only_what_the_stage_has_reported():
    entries = store(*map(extra, KEYS))
    assert list(entries) == KEYS[: -MAX_REUSABLE - 1 : -1]
    assert entries[KEYS[-1]] == {"made_by": "m", "result": {"version": extra(KEYS[-1])["version"]}}


def test_a_long_result_and_an_event_of_no_batch_are_not_kept():
    assert store(extra(KEYS[0], details={"note": "x" * MAX_RESULT}), {**extra(KEYS[0]), "batch": "x"}) == {}


def test_a_later_event_of_a_batch_takes_the_place_of_the_one_before():
    assert result_to_reuse(store(extra(KEYS[0]), extra(KEYS[0], "other")), {}, "m") is None


def test_the_newest_that_was_made_by_the_same_is_used_again():
    entries = store(extra(KEYS[0]), extra(KEYS[1]), extra(KEYS[2], "other"))
    maker, result = result_to_reuse(entries, {}, "m")
    assert (maker, result["version"]["path"]) == (KEYS[1], f"prices/{KEYS[1]}/scorer-1-1")


def test_a_version_that_its_batch_has_replaced_is_passed_over():
    reused = {**extra(KEYS[0]), "batch": KEYS[1], "reused_from": KEYS[0]}
    now = {KEYS[0]: {"path": f"prices/{KEYS[0]}/scorer-2-1"}}
    assert result_to_reuse(store(extra(KEYS[0], "other"), reused), now, "m") is None
    assert result_to_reuse(store(extra(KEYS[0], "other"), reused), {}, "m")[0] == KEYS[0]


def test_what_was_carried_over_is_of_the_batch_that_had_it_first():
    entries = store(
        extra(KEYS[0], content="c"),
        extra(KEYS[1], content="c", carried_over_from=KEYS[0]),
        extra(KEYS[2], content="other grades of the same"),
        extra(KEYS[3]),
        extra(KEYS[5], content="c"),
    )
    assert earlier_batches(entries, KEYS[4], "m") == {
        "c": KEYS[0],
        "other grades of the same": KEYS[2],
        "": KEYS[3],
    }
    assert earlier_batches(entries, KEYS[0], "m") == {}
    assert earlier_batches(entries, KEYS[4], "other") == {}


def test_of_grades_what_they_say_counts():
    """Their file names the batch."""
    files = {"grades.json": {"size": 1, "sha256": "of this batch"}}
    assert contents({"version": {"files": files}, "content": "c"}) == {"content": "c"}
    assert contents({"content": "c"}) is None


def test_only_the_files_that_a_result_names_count_if_it_names_any():
    files = {name: {"size": 1, "sha256": name} for name in ("a", "b")}
    assert contents({"outputs": ["prices/x/y/a"], "version": {"files": files}}) == {"a": "a"}
    assert contents({"version": {"files": files}}) == {"a": "a", "b": "b"}
    assert contents({"outputs": ["a"]}) is None
