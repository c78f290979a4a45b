"""Alerts by e-mail and a webhook, of tasks on workers and of runs that are late."""

from tests.support.waiting import wait_for

from .receiving import told


def watch(stack):
    """Let the watchdog do a round."""
    look = stack.trigger("rankalpha_watchdog")
    ended = {"run_id_pattern": look, "state": ["success", "failed"]}
    wait_for("a round of the watchdog", lambda: stack.runs("rankalpha_watchdog", **ended), 120)


def test_a_stage_that_a_person_has_ended_asks_for_no_action(stack, engine, batch):
    """Whose worker waits for it; a round of the watchdog begins by itself, and says who it was."""
    with stack.ticking(engine, batch):
        pass
    ended = wait_for("the news", lambda: told(stack, "rankalpha_scoring failed for batch", batch), 120)
    for texts in ended.values():
        assert [text for text in texts if "NO ACTION" not in text or "Ended by: rankalpha" not in text] == []
    assert told(stack, "ACT NOW", batch) is None


def test_a_failure_and_its_end_are_told_by_both_channels(stack, batch):
    broken = "sh -c 'echo the prices are from Mars; exit 65'"
    with stack.variables(SCORER_COMMAND=broken):
        run = stack.trigger("rankalpha_scoring", batch)
        stack.settle()
    words = ("rankalpha_scoring failed for batch", batch)
    failure = wait_for("the failure on both channels", lambda: told(stack, "ACT NOW", *words), 120)
    stack.clear("rankalpha_scoring", run, "run_scorer")
    stack.settle()
    watch(stack)
    over = wait_for("its end on both channels", lambda: told(stack, "Resolved: ", *words))
    assert {kind: len(sent) for kind, sent in failure.items()} == {"mail": 1, "slack": 1}
    assert {kind: len(sent) for kind, sent in over.items()} == {"mail": 1, "slack": 1}
    for (text,) in failure.values():
        assert "the prices are from Mars" in text
    assert failure["mail"][0].startswith("operators@example.org\nRankAlpha ACT NOW")


def test_a_run_that_misses_its_deadline_is_told_once_by_both_channels(stack, engine, batch):
    """By the triggerer, while a worker waits for the stage and the watchdog does one round after another."""
    subject = f"LOOK TODAY: rankalpha_scoring did not finish within 0.5 minutes for batch {batch}"
    with stack.ticking(engine, batch) as run:
        wait_for("the news of a late run", lambda: watch(stack) or told(stack, subject, run), 120)
        watch(stack)
        assert stack.tasks("rankalpha_scoring", run)["run_scorer"]["state"] == "running"
    watch(stack)
    late = told(stack, subject, run)
    assert {kind: len(sent) for kind, sent in late.items()} == {"mail": 1, "slack": 1}
    assert late["mail"][0].startswith("operators@example.org\nRankAlpha LOOK TODAY")
    assert f"ALERT RankAlpha {subject}" in stack.logs("airflow-triggerer")
