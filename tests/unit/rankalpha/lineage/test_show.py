"""The lineage of a batch as text, in the order of the flow."""

from rankalpha.lineage.show import lines

KEY = "2026-11-22T06:00:00"
START, END = "2026-11-22T06:00:05Z", "2026-11-22T06:00:09.5Z"
CONTAINER = {"image": "scorer:2", "digest": None, "name": "c-1", "seconds": 3.5, "cpu_seconds": None}
CONTAINER |= {"peak_memory_bytes": 300 * 1024**2}


def attempt(number, state, ended=END):
    return {
        "task_id": "run_scorer",
        "try_number": number,
        "state": state,
        "started": START if state else None,
        "ended": ended,
    }


RUN = {
    "run_id": "r1",
    "state": "running",
    "triggered_by": "rest_api",
    "user": "ann",
    "note": "again",
    "run_type": "manual",
    "started": START,
    "ended": None,
    "tries": [attempt(1, "failed"), attempt(2, None), {**attempt(0, None), "task_id": "publish_scores"}],
}
OUTPUT = {
    "dataset": "scores",
    "published": END,
    "run_id": "r1",
    "rows": 1,
    "symbols": 2,
    "as_of": "2026-11-20",
    "checksum": None,
    "checks": [
        {"name": "rows", "value": 1, "expected": "at least 2", "severity": "block", "passed": False},
    ],
    "container": CONTAINER,
    "forced": {"by": "ann", "reason": "a holiday"},
    "republished": {"by": "bob", "reason": "the last one lacks a sector"},
    "version": {"path": "prices/x/scorer-1-1", "sha256": "0a"},
    "session": None,
    "reused_from": None,
    "carried_over_from": None,
}
PRICES = {"dataset": "prices", "batch": KEY, "published": START, "checksum": "sha256:0f", "version": None}


def test_a_step_stands_between_its_datasets_with_what_it_read_ran_and_wrote():
    step = {
        "step": "scoring",
        "dag_id": "rankalpha_scoring",
        "runs": [RUN],
        "inputs": [PRICES],
        "output": OUTPUT,
    }
    assert list(lines({"batch": KEY, "steps": [step]})) == [
        f"Batch {KEY}",
        "prices → scoring → scores  (rankalpha_scoring)",
        f"    reads   prices of {KEY}, published 2026-11-22 06:00:05, sha256:0f",
        "    run     r1: running, since 2026-11-22 06:00:05, manual by rest_api (ann), note: again",
        "                run_scorer, attempt 1: failed, 2026-11-22 06:00:05, 4.5 s",
        "                run_scorer, attempt 2: not started",
        "                publish_scores: not started",
        "    writes  scores, published 2026-11-22 06:00:09 by r1",
        "                1 row, 2 symbols, as of 2026-11-20, no checksum",
        "                version prices/x/scorer-1-1, sha256:0a",
        "                image scorer:2, without a digest, container c-1, 3.5 s, peak 300 MiB",
        "                check rows: 1, expected at least 2: NOT PASSED (block)",
        "                PUBLISHED ANYWAY by ann: a holiday",
        "                PUBLISHED AGAIN by bob: the last one lacks a sector",
    ]


def test_an_input_whose_event_is_gone_is_named_by_its_version():
    version = {"path": f"prices/{KEY}/ingestion-1-1", "sha256": "0b"}
    gone = {**PRICES, "published": None, "checksum": None, "version": version}
    step = {"step": "scoring", "dag_id": "rankalpha_scoring", "runs": [], "inputs": [gone], "output": None}
    assert list(lines({"batch": KEY, "steps": [step]}))[2:4] == [
        f"    reads   prices of {KEY}, not published now, no checksum",
        f"            version prices/{KEY}/ingestion-1-1, sha256:0b",
    ]


def test_what_nothing_new_was_made_of_says_so():
    prices = {**OUTPUT, "session": {"text": "Friday's close, 27 Nov", "newest": "2026-11-27"}}
    again = {**OUTPUT, "reused_from": KEY, "carried_over_from": KEY}
    steps = [
        {"step": "s", "dag_id": "d", "runs": [], "inputs": [], "output": output} for output in (prices, again)
    ]
    text = "\n".join(lines({"batch": KEY, "steps": steps}))
    assert "Friday's close, 27 Nov; the newest session was that of 2026-11-27" in text
    assert f"used again from batch {KEY}" in text
    assert f"carried over from batch {KEY}" in text


def test_a_step_that_has_done_nothing_yet_stands_alone():
    step = {"step": "ingestion", "dag_id": "rankalpha_ingestion", "runs": [], "inputs": [], "output": None}
    assert list(lines({"batch": KEY, "steps": [step]}))[1:] == [
        "ingestion  (rankalpha_ingestion)",
        "    writes  nothing yet",
    ]
