"""Stages are followed to their end on a real engine that hangs, goes away, or loses a container."""

import asyncio
import threading
import time
from datetime import timedelta

import pytest

from rankalpha.containers import drain, patience
from rankalpha.containers import follow as following
from rankalpha.containers.follow import Follower
from rankalpha.runners.base import GRACE_SECONDS
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.failures import ContainerGone, EngineLost
from rankalpha.runners.line import Mark
from tests.engine.stage_jobs import ASKED, BOTH_WAYS, HOUR, follow, log, output, texts, use
from tests.support.docker_proxy import RunningProxy
from tests.support.needs import SOCKET

pytestmark = pytest.mark.usefixtures("swept")
COUNT = "import time\nfor n in range(40): print(n); time.sleep(0.05)"
NUMBERS = [*map(str, range(40))]
LATER = "2026-11-22T07:00:00"


@pytest.fixture(autouse=True)
def quick(monkeypatch, caplog):
    caplog.set_level("INFO", logger=log.name)
    monkeypatch.setattr(following, "INSPECT_SECONDS", 1.0)
    monkeypatch.setattr(drain, "DRAIN_SECONDS", 1.0)
    for module in (following, patience):
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.1)


@BOTH_WAYS
def test_each_line_is_written_once(jobs, way):
    end, lines = follow(jobs.start(jobs.python(COUNT)))
    assert (end, texts(lines)) == ("ended", NUMBERS)


def test_a_line_is_written_while_the_stage_runs(jobs, way):
    """Which prints the second one because the first has arrived."""
    one = jobs.start(jobs.run(ASKED))
    ask = threading.Thread(target=DockerRunner().stop, args=(one.id,))
    end, lines = follow(one, do=ask.start)
    ask.join()
    assert (end, texts(lines)) == ("ended", ["one", "two"])


@pytest.mark.parametrize("trap", ["", "trap '' TERM;"])
def test_a_stage_is_stopped_at_its_limit(jobs, way, trap):
    one = jobs.start(jobs.run(f'sh -c "{trap} while :; do echo up; sleep 0.2; done"'))
    limit = timedelta(seconds=2)
    end, lines = follow(one, limit)
    assert end == "overdue"
    over = DockerRunner().inspect(one.id)
    assert over.status == (137 if trap else 143)
    assert over.ended - over.started >= limit + timedelta(seconds=GRACE_SECONDS if trap else 0)
    assert texts(lines) == texts(output(one.id))


def test_a_follower_goes_on_where_another_was_killed(jobs, way):
    one, first = jobs.start(jobs.python(COUNT)), []

    async def killed_soon():
        def write(line):
            if len(first) < 10:
                first.append(line)
            if len(first) == 10:
                loop.call_soon_threadsafe(task.cancel)

        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(Follower(DockerRunner(), one.id, write, log).follow(HOUR))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(killed_soon())
    assert texts(first) == NUMBERS[:10]
    end, rest = follow(one, written=Mark(first[-1].time, 1))
    assert (end, texts(first) + texts(rest)) == ("ended", NUMBERS)


def test_output_that_the_log_has_room_for_is_written_to_its_end(jobs, way):
    one, lines = jobs.ended(jobs.python("for n in range(10_000): print('x' * 100)")), []

    def slowly(line):
        lines.append(line)
        time.sleep(0.0002)

    begin = time.monotonic()
    assert asyncio.run(Follower(DockerRunner(), one.id, slowly, log).follow(HOUR)) == "ended"
    assert time.monotonic() - begin > 2 * drain.DRAIN_SECONDS
    assert len(lines) == 10_000


def test_a_log_that_is_stuck_hides_neither_the_end_nor_the_time_limit(jobs, way, monkeypatch):
    monkeypatch.setattr(drain, "REST_SECONDS", 2.0)
    freed = threading.Event()

    def follow_to(one, limit=HOUR):
        return asyncio.run(Follower(DockerRunner(), one.id, lambda _: freed.wait(60), log).follow(limit))

    try:
        ended = jobs.ended(jobs.python("for n in range(10_000): print(n)"))
        assert follow_to(ended) == "ended"
        job = jobs.run("sh -c 'while :; do echo up; done'", identity=jobs.identity(batch=LATER))
        endless = jobs.start(job, batch=LATER)
        assert follow_to(endless, timedelta(seconds=2)) == "overdue"
        assert not DockerRunner().inspect(endless.id).running
    finally:
        freed.set()


def test_of_much_output_the_log_has_a_part_and_the_engine_the_last(jobs, way, caplog):
    """2,000,000 lines of 100 bytes are more than the engine keeps, and much more than the log takes."""
    one = jobs.start(jobs.python("for n in range(2_000_000): print(f'{n:099}')"))
    end, lines = follow(one)
    assert end == "ended"
    assert [int(text) for text in texts(lines)] == [*range(len(lines))]
    assert 10_000 < len(lines) < 20_000
    assert f"docker logs {one.id[:12]}" in caplog.messages[-1]
    assert int(DockerRunner().tail(one.id)[-1]) == 1_999_999
    assert 0 < len(output(one.id)) < 2_000_000


def test_a_container_that_is_removed_meanwhile_is_missed(jobs, way):
    one = jobs.start(jobs.run("sh -c 'echo up; sleep 60'"))
    with pytest.raises(ContainerGone):
        follow(one, do=lambda: DockerRunner().remove(one.id))


def test_output_that_hangs_does_not_hide_the_end(jobs, relay, caplog):
    one = jobs.start(jobs.python(COUNT))

    def hang():
        relay.hangs = True

    end, lines = follow(one, do=hang)  # which ends, though the output hangs for ever
    assert end == "ended"
    assert 0 < len(lines) < 40
    assert caplog.messages[1:] == ["The end of the stage's output could not be read: it hangs"]


def test_output_that_has_hung_is_read_anew(jobs, relay, caplog):
    one = jobs.start(jobs.python(COUNT))

    def hang():
        relay.hangs = True
        threading.Timer(1.5, setattr, (relay, "hangs", False)).start()

    end, lines = follow(one, do=hang)
    assert (end, texts(lines)) == ("ended", NUMBERS)
    assert relay.followed == 2
    assert len(caplog.messages) == 1  # it was started


@pytest.mark.parametrize("politely", [False, True])
@pytest.mark.parametrize("away", [0.5, 3])
def test_an_engine_that_goes_away_is_waited_for(jobs, relay, caplog, away, politely):
    """The stage ends before the engine is back, or after."""
    one = jobs.start(jobs.python(COUNT))

    def go():
        relay.cut(politely=politely)
        threading.Timer(away, relay.open).start()

    end, lines = follow(one, do=go)
    assert (end, texts(lines)) == ("ended", NUMBERS)
    # aiohttp may complain of the connection that was cut
    said = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert said[1].startswith(f"lost the Docker engine at RANKALPHA_DOCKER_URL={relay.url} while inspecting")
    assert said[2:] == ["The engine answers again"]


def test_a_proxy_that_stays_away_fails_the_task_and_not_the_stage(jobs, demo, tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 1.0)
    proxy = RunningProxy(SOCKET, tmp_path / "log", [demo])
    use(monkeypatch, proxy.url)
    one = jobs.start(jobs.python(COUNT))
    with pytest.raises(EngineLost, match=f"lost the Docker engine at RANKALPHA_DOCKER_URL={proxy.url}"):
        follow(one, do=threading.Thread(target=proxy.stop).start)
    use(monkeypatch, f"unix://{SOCKET}")
    assert DockerRunner().inspect(one.id).running
    assert texts(follow(one)[1]) == NUMBERS
