"""What a stage that runs as a process prints, and the result that it leaves."""

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from rankalpha.runners import process_lines
from rankalpha.runners.line import Line
from rankalpha.runners.process import ProcessRunner
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.demo_stage import job
from tests.unit.rankalpha.support.process_helpers import NAME, UNTIL_GO, output, printed, run, start

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
LEFT_OUT = " [at least {} more characters of this line are left out]"
MOMENT = "2025-11-20T06:00:00.000000001Z"


@pytest.fixture(autouse=True)
def folder(app_dir) -> Path:
    return app_dir


def test_output_is_read_line_by_line_in_order(folder):
    code = "import sys\nfor n in range(50): print(n, file=sys.stderr if n % 3 else sys.stdout)\n"
    lines = output(start(folder, code + "print('ä', end='')"))
    assert [line.text for line in lines] == [*map(str, range(50)), "ä"]
    assert all(TIME.fullmatch(line.time) for line in lines)
    assert [line.time for line in lines] == sorted({line.time for line in lines})


def test_output_is_read_from_a_time_on(folder):
    container = run(folder, "for n in range(50): print(n)")
    lines = output(container)
    assert output(container, lines[20].time) == lines[20:]


def test_output_shows_while_the_stage_runs(folder):
    container = start(folder, "print('waiting')" + UNTIL_GO)
    wait_for("the first line", lambda: printed(container) == ["waiting"])
    assert ProcessRunner().inspect(container.id).running


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (r"import sys; sys.stdout.buffer.write(b'a\xffb\n')", "a\ufffdb"),
        ("print('ä' * 65_536)", "ä" * 65_536),
        (r"print('a\x0cb\u2028c')", "a\x0cb\u2028c"),
        ("print('  indented  ')", "  indented"),
    ],
)
def test_unusual_lines_stay_whole(folder, code, text):
    container = start(folder, code)
    assert [line.text for line in output(container)] == [text]
    assert printed(container) == [text]


@pytest.mark.parametrize("end", ["\\n", ""])
def test_of_a_very_long_line_the_rest_is_left_out(folder, end):
    code = f"print('first'); print('ä' * 900_000, end='{end}'); print('last')"
    container = start(folder, code)
    first, long, *others = [line.text for line in output(container)]
    assert [first, *others] == ["first", *(["last"] if end else [])]
    assert long == "ä" * 65_536 + LEFT_OUT.format(900_000 - 65_536 + (0 if end else len("last")))
    assert max(map(len, printed(container))) <= len(long)


def test_the_last_lines_of_much_output_are_found_without_reading_it_all(folder):
    container = run(folder, "for n in range(30_000): print('x' * 90, n)")
    assert [text.split()[1] for text in printed(container)] == [str(n) for n in range(29_980, 30_000)]


def test_output_is_read_from_each_time_on(folder):
    container = run(folder, "for n in range(40): print('x' * n * n)")
    lines = output(container)
    for number, line in enumerate(lines):
        assert output(container, line.time) == lines[number:]
    assert output(container, "2100-01-01T00:00:00.000000000Z") == []
    assert output(container, "1999-01-01T00:00:00.000000000Z") == lines


def test_the_whole_output_is_in_a_file(folder):
    container = run(folder, "print('one')")
    assert "one" in Path(ProcessRunner().output_location(container.id)).read_text()


def test_the_tail_is_the_last_lines(folder):
    assert printed(run(folder, "for n in range(100): print('line', n)")) == [
        f"line {n}" for n in range(80, 100)
    ]
    assert printed(ProcessRunner().create(job(), f"{NAME}-try2")) == []


def test_the_result_is_what_the_stage_has_left(folder):
    code = "import os, pathlib\npathlib.Path(os.environ['RANKALPHA_RESULT']).write_text('ä')"
    assert ProcessRunner().result(run(folder, code).id, "demo") == "ä".encode()


def test_no_result_is_no_error(folder):
    assert ProcessRunner().result(run(folder, "").id, "demo") == b""


def test_a_line_that_is_only_partly_written_is_waited_for(folder, tmp_path, monkeypatch):
    container, (first, rest) = start(folder, UNTIL_GO), f"{MOMENT} grün\n".encode().split(b"\xbc")

    def write(piece: bytes) -> None:
        with (tmp_path / "processes" / NAME / "output").open("ab") as file:
            file.write(piece)

    async def sleep(_seconds: float) -> None:
        """Write the rest when the reader has come to the end of what there is."""
        if not (folder / "go").exists():
            write(b"\xbc" + rest)
            (folder / "go").touch()
        await asyncio.sleep(0.02)

    write(first)
    monkeypatch.setattr(process_lines, "asyncio", SimpleNamespace(sleep=sleep))
    assert output(container) == [Line(MOMENT, "grün")]
