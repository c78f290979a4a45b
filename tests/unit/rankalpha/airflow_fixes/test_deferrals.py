"""The loop of Airflow's triggerer that runs triggers: when it takes new ones, and reports what has ended.

`tests/scheduler/test_deferrals.py` has it with the triggerer's main process and a database.
"""

import asyncio
import inspect

import anyio
import pytest
from airflow.executors.workloads import RunTrigger
from airflow.jobs import triggerer_job_runner as module
from airflow.jobs.triggerer_job_runner import TriggerRunner, TriggerRunnerSupervisor, messages
from airflow.models.trigger import Trigger
from airflow.triggers.base import BaseTrigger, TriggerEvent

from rankalpha.airflow_fixes import deferrals, triggers

SOON = 0.5  # seconds, of which Airflow's loop rests one


class Fires(BaseTrigger):
    """Fires once."""

    def serialize(self):
        return "Fires", {}

    async def run(self):
        yield TriggerEvent("ended")


class MainProcess:
    """The triggerer's main process, as the loop asks it; records what it is sent."""

    def __init__(self, new):
        self.new, self.looks, self.events, self.ended = new, 0, [], []
        self.new_after = {}  # by the trigger whose event is reported
        self._pending, self._reader_task = {}, asyncio.get_running_loop().create_future()

    async def asend(self, message):
        self.looks += 1
        self.events += [(entry.trigger_id, entry.event.payload) for entry in message.events or []]
        self.ended += message.finished or []
        self.new += [self.new_after.pop(entry.trigger_id) for entry in message.events or [] if self.new_after]
        new, self.new = self.new, []
        return messages.TriggerStateSync(to_create=new, to_cancel=set())

    def send_word(self):
        """Answer what nobody asked, as the reader of the connection does."""
        self._pending.pop(deferrals.WORD).set_result(None)


def workload(number):
    return RunTrigger(id=number, classpath="Fires", encrypted_kwargs=Trigger.encrypt_kwargs({}))


@pytest.fixture
def run(monkeypatch):
    """Run the loop for SOON, in which `meanwhile` happens; return the process that it asked."""

    async def connect(runner):
        runner.comms_decoder = MainProcess(runner.at_first)

    for name in ("init_comms", "sync_state_to_supervisor", "cleanup_finished_triggers", "run_trigger"):
        as_installed = inspect.unwrap(getattr(TriggerRunner, name))
        monkeypatch.setattr(TriggerRunner, name, connect if name == "init_comms" else as_installed)
    load_triggers = inspect.unwrap(TriggerRunnerSupervisor.load_triggers)
    monkeypatch.setattr(TriggerRunnerSupervisor, "load_triggers", load_triggers)
    monkeypatch.setattr(module, "anyio", anyio)
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", deferrals.EXECUTOR)

    async def loop(at_first, meanwhile):
        runner = TriggerRunner()
        runner.at_first, runner.trigger_cache = list(at_first), {"Fires": Fires}
        running = asyncio.create_task(runner.arun())
        await asyncio.sleep(SOON / 2)
        meanwhile(runner.comms_decoder)
        await asyncio.sleep(SOON / 2)
        process, looks = runner.comms_decoder, runner.comms_decoder.looks
        runner._handle_signal(15, None)
        await asyncio.wait_for(running, SOON)  # a signal ends it at once
        assert process.looks == looks
        return process

    return lambda *at_first, meanwhile=lambda _: None: asyncio.run(loop(at_first, meanwhile))


def new_trigger(process):
    process.new = [workload(8)]
    process.send_word()


def test_airflow_itself_takes_a_new_trigger_a_second_later(run):
    """When this fails it does not: remove rankalpha/airflow_fixes/deferrals.py."""
    process = run(meanwhile=lambda process: process.new.append(workload(8)))
    assert (process.looks, len(process.new)) == (1, 1)


def test_a_word_lets_it_take_a_new_trigger_at_once(run):
    deferrals.apply()
    deferrals.apply()
    triggers.apply()
    process = run(meanwhile=new_trigger)
    assert (process.new, process.events) == ([], [(8, "ended")])


def test_a_new_trigger_that_another_one_is_sent_at_its_end_is_started_at_once(run):
    def two(process):
        process.new_after[8] = workload(9)
        new_trigger(process)

    deferrals.apply()
    triggers.apply()
    process = run(meanwhile=two)
    assert process.events == [(8, "ended"), (9, "ended")]


def test_an_end_is_reported_as_late_as_before(run):
    """Otherwise its log would be closed before its last lines are read."""
    deferrals.apply()
    triggers.apply()
    process = run(workload(7), meanwhile=new_trigger)
    assert process.events == [(7, "ended"), (8, "ended")]
    assert process.ended == []


def test_it_rests_again_after_each_word(run):
    def words(process):
        process.send_word()
        asyncio.get_running_loop().call_later(SOON / 4, process.send_word)

    deferrals.apply()
    assert run(meanwhile=words).looks == 3


def test_without_a_word_it_rests_as_airflow_does(run):
    deferrals.apply()
    assert run().looks == 1


def test_a_connection_that_has_ended_is_no_word(run):
    def end(process):
        process._pending[deferrals.WORD].cancel()

    deferrals.apply()
    assert run(meanwhile=end).looks == 1


def test_another_executor_may_not_be_as_quick(run, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", f"CeleryExecutor,{deferrals.EXECUTOR}")
    assert deferrals.FIX.on()
    assert run(meanwhile=lambda process: process.new.append(workload(8))).looks == 1
    assert deferrals.WORD not in run()._pending


def test_without_what_it_replaces_it_is_off(run, monkeypatch):
    monkeypatch.delattr(module, "TriggerCommsDecoder")
    assert not deferrals.FIX.on()
    assert run().looks == 1
