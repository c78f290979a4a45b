"""What a stage asks the Docker proxy for: its container, whole or with one part changed."""

import json

from rankalpha.runners.file_system import RESULT_VOLUME

SECRET = "sk-s3cret"
NAME = "rankalpha-demo-2025-11-20T06-00-00-0123abcd"
TMPFS = {"/tmp": "rw,exec,nosuid,nodev,mode=1777,size=268435456"}
CONTAINER = {
    "Image": "demo:1",
    "Cmd": ["python", "main.py"],
    "Env": [f"OPENAI_API_KEY={SECRET}"],
    "WorkingDir": "/app",
    "Labels": {"rankalpha.dag": "rankalpha_demo", "rankalpha.try": "1"},
    "AttachStdout": True,
    "AttachStderr": True,
    "HostConfig": {
        "NetworkMode": "rankalpha_net",
        "Mounts": [
            {"Type": "volume", "Source": "prices_data", "Target": "/data/prices"},
            {"Type": "volume", "Target": RESULT_VOLUME},
        ],
        "NanoCpus": 1_000_000_000,
        "Memory": 67_108_864,
        "MemorySwap": 67_108_864,
        "PidsLimit": 50,
        "ReadonlyRootfs": True,
        "Tmpfs": TMPFS,
        "Init": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "LogConfig": {"Type": "json-file", "Config": {"max-file": "2", "max-size": "50m"}},
    },
}
POST = b"POST /containers/create HTTP/1.1\r\nHost: x\r\n"


def with_(path, value):
    """Return the container with one part of it changed; `HostConfig.Privileged` is a path."""
    changed = json.loads(json.dumps(CONTAINER))
    *parents, last = path.split(".")
    part = changed
    for parent in parents:
        part = part[int(parent) if parent.isdigit() else parent]
    part[last] = value
    return changed


def create(proxy, body, target="/v1.51/containers/create"):
    """Ask for a container; return the status and the message."""
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    status, _, answer = proxy.ask("POST", target, text, **{"Content-Type": "application/json"})
    return status, answer.decode()
