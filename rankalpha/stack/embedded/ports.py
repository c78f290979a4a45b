"""Ports of this machine."""

import random
import socket
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from rankalpha.settings import SettingsError

HANDED_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")  # on Linux: first and last
USUAL = 32768  # Linux's own first one, lower than that of other systems
LOWEST = 12000  # above the usual ports of servers


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
    """Return ports that nothing listens on, below those that the system hands out by itself.

    A port that the system hands out may belong to another program before its own one starts.
    """
    own = random.SystemRandom()  # two processes that ask at the same time rarely get the same ports
    candidates = own.sample(range(LOWEST, _first_handed_out()), 10 * number)
    return list(islice((port for port in candidates if not _taken(port)), number))


def _first_handed_out() -> int:
    try:
        first = int(HANDED_OUT.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return USUAL
    return first if first >= 2 * LOWEST else USUAL


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
