"""What a stage prints as a process is kept in two files of bounded size, which are read as one."""

import asyncio
from pathlib import Path

import pytest

from rankalpha.runners import container_log
from rankalpha.runners.base import TAIL_LINES
from rankalpha.runners.line import LONGEST_LINE
from rankalpha.runners.process import ProcessRunner
from rankalpha.runners.process_shim import PIECE, PIECES
from tests.unit.rankalpha.support.process_helpers import NAME, ended, output, printed, run, start

FILE_BYTES = 10_000
# prints a hundred lines, 5 kB, each time that it is asked to go on
IN_STEPS = """
import pathlib, time
for step in range(20):
    for n in range(100): print(f'{100 * step + n:019}')
    while not pathlib.Path(f'go{step}').exists(): time.sleep(0.005)
"""


@pytest.fixture(autouse=True)
def folder(app_dir, monkeypatch) -> Path:
    monkeypatch.setattr(container_log, "MEGABYTES", FILE_BYTES / 1_000_000)
    return app_dir


def numbers(container, since=""):
    return [int(line.text) for line in output(container, since)]


def sizes(tmp_path, name=NAME):
    return [file.stat().st_size for file in (tmp_path / "processes" / name).glob("output*")]


def test_the_last_lines_are_kept_and_the_disk_is_not_filled(folder, tmp_path):
    container = run(folder, "for n in range(10_000): print(n)")
    kept = numbers(container)
    assert kept == [*range(kept[0], 10_000)]
    assert FILE_BYTES <= sum(sizes(tmp_path)) <= 2 * (FILE_BYTES + 100)
    assert printed(container) == [*map(str, range(10_000 - TAIL_LINES, 10_000))]
    path = tmp_path / "processes" / NAME / "output"
    assert ProcessRunner().output_location(container.id) == f"{path}.1 and {path} (its last 0.02 MB)"


def test_output_that_is_kept_is_read_from_each_time_on_and_has_a_tail_in_either_file(folder):
    """All of it, however many of its lines are in the newer file."""
    for count in range(185, 225, 5):
        container = run(folder, f"for n in range({count}): print(f'{{n:019}}')")
        assert numbers(container) == [*range(count)]
        assert [*map(int, printed(container))] == [*range(count - TAIL_LINES, count)]
        for number, line in [*enumerate(output(container))][::20]:
            assert numbers(container, line.time) == [*range(number, count)]
        assert numbers(container, "2100-01-01T00:00:00.000000000Z") == []
        ProcessRunner().remove(container.id)


def test_who_follows_misses_nothing_while_files_come_and_go_and_the_folder_is_renamed(folder, tmp_path):
    container, seen = start(folder, IN_STEPS), []

    async def follow() -> None:
        async for line in ProcessRunner().lines(container.id):
            seen.append(int(line.text))
            if len(seen) == 1_000:
                ProcessRunner().set_aside(container.id, 1)
            if len(seen) % 100 == 0:
                (folder / f"go{len(seen) // 100 - 1}").touch()

    asyncio.run(asyncio.wait_for(follow(), 60))
    assert seen == [*range(2_000)]
    assert max(sizes(tmp_path, f"{NAME}-try1")) <= FILE_BYTES + 100


@pytest.mark.parametrize("end", ["\\n", ""])
def test_a_line_without_end_does_not_fill_the_disk(folder, tmp_path, end):
    container = ended(start(folder, f"print('x' * 50_000_000, end='{end}')"))
    assert max(sizes(tmp_path)) <= PIECE * PIECES + 100
    (line,) = output(container)
    missing = PIECE * PIECES - LONGEST_LINE
    assert line.text.endswith(f" [at least {missing} more characters of this line are left out]")
