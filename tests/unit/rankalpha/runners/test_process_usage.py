"""What a process has used is exact: the kernel tells it to the shim."""

from pathlib import Path

import pytest

from rankalpha.containers.usage import container_report
from rankalpha.runners.process import ProcessRunner
from tests.unit.rankalpha.support.process_helpers import NAME, ended, run, start

BURN = """
import subprocess, sys, time
own = b"x" * 100_000_000
while time.process_time() < 0.3: pass
child = "import time; x = b'x' * 150_000_000\\nwhile time.process_time() < 0.3: pass"
if len(sys.argv) > 1: subprocess.run([sys.executable, "-c", child])
"""


@pytest.mark.parametrize(
    ("argument", "cpu", "memory"), [("", 0.3, 100e6), (" child", 0.6, 150e6)], ids=["alone", "with a child"]
)
def test_the_figures_of_a_process_are_those_of_the_kernel(app_dir, argument, cpu, memory):
    one = run(app_dir, BURN, command=f"python main.py{argument}")
    assert cpu <= one.usage["cpu_seconds"] < cpu + 0.4
    assert memory < one.usage["peak_memory_bytes"] < memory + 30e6
    assert one.image == "demo:1"


def test_a_killed_process_has_figures_too(app_dir):
    one = start(app_dir, "import os, time\nwhile time.process_time() < 0.2: pass\nos.kill(os.getpid(), 9)")
    assert (ended(one).status, 0.2 <= ended(one).usage["cpu_seconds"] < 0.6) == (137, True)


def test_a_process_whose_shim_was_killed_has_none(app_dir, tmp_path: Path):
    one = run(app_dir, "")
    (tmp_path / "processes" / NAME / "exit.json").unlink()  # as if it had not been written
    about = container_report(ProcessRunner(), ProcessRunner().inspect(one.id), None)
    assert (about["cpu_seconds"], about["peak_memory_bytes"]) == (None, None)
