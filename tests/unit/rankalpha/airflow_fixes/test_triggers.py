"""A trigger that has fired, in the part of Airflow's triggerer that runs triggers."""

import asyncio
from contextlib import suppress

import pytest
from airflow.jobs.triggerer_job_runner import TriggerRunner, messages
from airflow.triggers.base import BaseTrigger, TriggerEvent

from rankalpha.airflow_fixes import triggers


class Fires(BaseTrigger):
    """Fires once, and fails after that if it was told to."""

    def __init__(self, error=None):
        super().__init__()
        self.error = error

    def serialize(self):
        return "Fires", {}

    async def run(self):
        yield TriggerEvent("ended")
        if self.error:
            raise self.error


class Supervisor:
    """Keeps what the triggerer's main process is sent, instead of recording it in the database."""

    def __init__(self):
        self.events = []

    async def asend(self, message):
        self.events += message.events or []
        return messages.TriggerStateSync(to_create=[], to_cancel=set())


@pytest.fixture
def run(monkeypatch):
    """Run a trigger to its end; return what was sent by then, and what waits for the next second."""
    as_installed = getattr(TriggerRunner.run_trigger, "fixes", TriggerRunner.run_trigger)
    monkeypatch.setattr(TriggerRunner, "run_trigger", as_installed)

    def to_end(trigger):
        runner, supervisor = TriggerRunner(), Supervisor()
        runner.comms_decoder = supervisor
        runner.triggers[7] = {"name": "of a stage", "events": 0}
        with suppress(RuntimeError):
            asyncio.run(runner.run_trigger(7, trigger))
        return [
            [(entry.trigger_id, entry.event.payload) for entry in e]
            for e in (supervisor.events, runner.events)
        ]

    return to_end


def test_airflow_itself_does_not_send_it_at_once(run):
    """When this fails it does: remove rankalpha/airflow_fixes/triggers.py."""
    assert run(Fires()) == [[], [(7, "ended")]]


def test_it_is_sent_at_once_and_once(run):
    triggers.apply()
    triggers.apply()
    assert run(Fires()) == [[(7, "ended")], []]


def test_what_fails_after_that_is_left_to_airflow(run):
    triggers.apply()
    assert run(Fires(RuntimeError("after its event"))) == [[], [(7, "ended")]]


def test_without_what_it_replaces_it_is_off(run, monkeypatch):
    monkeypatch.delattr(TriggerRunner, "sync_state_to_supervisor")
    assert not triggers.FIX.on()
    assert run(Fires()) == [[], [(7, "ended")]]
