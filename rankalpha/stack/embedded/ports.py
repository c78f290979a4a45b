"""Ports of this machine."""

import socket
from collections.abc import Mapping

from rankalpha.settings import SettingsError


def check_ports(ports: Mapping[str, int]) -> None:
    """Raise SettingsError naming every port that is taken, by another program or twice by this stack.

    `ports` holds each port by the setting that names it.
    """
    if len(set(ports.values())) < len(ports):
        raise SettingsError(f"the ports must differ: {dict(ports)}")
    busy = [f"{key}={port}" for key, port in ports.items() if _listening(port)]
    if busy:
        raise SettingsError(
            f"port already in use: {', '.join(busy)}; stop what listens there, or choose others, "
            f"for example `make up {busy[0].partition('=')[0]}={free_ports(1)[0]}`"
        )


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens on."""
    probes = [socket.socket() for _ in range(number)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
