"""The server of the Docker proxy ends when its engine listens elsewhere."""

import asyncio

import pytest

from rankalpha.stack.docker_proxy import server


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(server, "GONE_AFTER", 0.3)
    monkeypatch.setattr(server, "LOOK_EACH", 0.02)


def test_a_socket_at_which_nobody_listens_any_more_is_noticed(quick, tmp_path):
    """A daemon that was killed leaves its socket, and a container keeps it when the next one made another."""

    async def play():
        path = tmp_path / "docker.sock"
        engine = await asyncio.start_unix_server(lambda _, writer: writer.close(), path)
        waiting = asyncio.create_task(server.until_gone(path))
        await asyncio.wait({waiting}, timeout=1)
        assert not waiting.done()
        engine.close()
        await engine.wait_closed()
        await asyncio.wait_for(waiting, 10)

    asyncio.run(play())
