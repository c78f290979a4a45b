"""Ports of this machine."""

import socket

import pytest

from rankalpha.settings import SettingsError
from rankalpha.stack.embedded import ports


def test_free_ports_are_none_that_the_system_hands_out():
    found = ports.free_ports(50)
    assert len(set(found)) == 50
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))  # as a program that does not name its port
        assert max(found) < other.getsockname()[1]


def test_a_port_that_is_taken_is_not_free(monkeypatch):
    (port,) = ports.free_ports(1)
    monkeypatch.setattr(ports, "LOWEST", port - 9)
    monkeypatch.setattr(ports, "_first_handed_out", lambda: port + 1)  # ten ports, the last of them taken
    with socket.create_server(("127.0.0.1", port)):
        assert all(ports.free_ports(1) != [port] for _ in range(20))


def test_a_busy_port_is_named_with_one_that_is_free():
    (port,) = ports.free_ports(1)
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(SettingsError, match=f"port already in use: RANKALPHA_API_PORT={port}; .*make up"),
    ):
        ports.check_ports({"RANKALPHA_API_PORT": port})
