"""What a stage does that an attacker has taken over: it searches for power, packets and ports of others."""

import re
import shlex
from collections import defaultdict

# prints lines that can be read in a task's log too, whatever is around them
CODE = r"""
import re, socket, sys

def works(do, *arguments):
    try:
        return do(*arguments) or True
    except OSError:
        return False

def report(kind, values):
    for value in values:
        print("intruder", kind, value, flush=True)

status = open("/proc/self/status").read()
report("user", re.findall(r"Uid:\t(\d+)", status))
report("capabilities", set(re.findall(r"Cap\w+:\t(\w+)", status)))
report("no_new_privileges", re.findall(r"NoNewPrivs:\t(\d)", status))
kinds = {
    "packets": (socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
    "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "plain": (socket.AF_INET, socket.SOCK_STREAM),
}
report("opened", [name for name, kind in kinds.items() if works(lambda: socket.socket(*kind).close())])
places = [address.rsplit(":", 1) for address in sys.argv[1:]]
report("resolved", [host for host in {host for host, _ in places} if works(socket.getaddrinfo, host, None)])
connect = lambda host, port: socket.create_connection((host, int(port)), timeout=2).close()
# twice: while it creates a network, the engine takes away the rules between all others for some milliseconds
once = [place for place in places if works(connect, *place)]
report("reached", [f"{host}:{port}" for host, port in once if works(connect, host, port)])
report("searched", ["everywhere"])
"""
NO_CAPABILITY = {"0" * 16}


def command(*addresses, then="true"):
    """A stage's command that tries all this, with the addresses of others, and then does its work."""
    return shlex.join(["sh", "-c", f'python -c "$0" "$@" && exec {then}', CODE, *addresses])


def findings(text):
    """What it reports, by its output or a task's log: sets of `user`, `capabilities`, `opened` and more."""
    reported = defaultdict(set)
    for kind, value in re.findall(r"intruder (\w+) ([\w.:-]+)", text):
        reported[kind].add(value)
    assert reported["searched"] == {"everywhere"}, text
    return reported
