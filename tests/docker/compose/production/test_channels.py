"""Alerts by e-mail and a webhook, of tasks on workers and of runs that are late."""

from tests.support.stack import wait_for

from .receiving import told


def test_a_stage_that_a_person_has_ended_asks_for_no_action(stack, engine, batch):
    """Whose worker waits for it; a round of the watchdog begins by itself, and says who it was."""
    with stack.ticking(engine, batch):
        pass
    ended = wait_for(lambda: told(stack, "rankalpha_scoring failed for batch", batch), seconds=60)
    for texts in ended.values():
        assert [text for text in texts if "NO ACTION" not in text or "Ended by: rankalpha" not in text] == []
    assert told(stack, "ACT NOW", batch) is None


def test_a_failure_and_its_end_are_told_by_both_channels(stack, batch):
    broken = "sh -c 'echo the prices are from Mars; exit 65'"
    with stack.variables(SCORER_COMMAND=broken):
        run = stack.trigger("rankalpha_scoring", batch)
        stack.settle()
    failure = wait_for(
        lambda: told(stack, "ACT NOW", "rankalpha_scoring.run_scorer failed", batch), seconds=60
    )
    stack.clear("rankalpha_scoring", run, "run_scorer")
    stack.settle()
    look = stack.trigger("rankalpha_watchdog")
    ended = {"run_id_pattern": look, "state": ["success", "failed"]}
    wait_for(lambda: stack.runs("rankalpha_watchdog", **ended), seconds=120)
    over = wait_for(lambda: told(stack, "over: ", "rankalpha_scoring.run_scorer failed", batch), seconds=10)
    assert {kind: len(sent) for kind, sent in failure.items()} == {"mail": 1, "slack": 1}
    assert {kind: len(sent) for kind, sent in over.items()} == {"mail": 1, "slack": 1}
    for (text,) in failure.values():
        assert "the prices are from Mars" in text
    assert failure["mail"][0].startswith("operators@example.org\nRankAlpha ACT NOW")
