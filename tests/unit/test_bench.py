"""What `make bench` has left in bench/results/ holds together: figures, their runs, and their charts."""

import json
from statistics import median

import pytest

from bench import charts, drawing, overhead, prefect_server, report, run
from bench.batches import Batch

SAVED = report.last()


@pytest.mark.parametrize("part", SAVED)
def test_each_figure_is_saved_with_its_runs(part):
    for figure in SAVED[part]["figures"]:
        assert len(figure["values"]) == min(figure["runs"], report.MOST) > 0
        assert figure["worst"] == max(figure["values"])
        if figure["runs"] <= report.MOST:
            assert figure["median"] == pytest.approx(median(figure["values"]), abs=0.001)


def test_of_many_runs_the_file_keeps_some_from_the_least_to_the_worst():
    many = report.Figure.of("batch", "s", [float(value) for value in reversed(range(250))])
    assert (many.runs, many.median, many.worst, len(many.values)) == (250, 124.5, 249, report.MOST)
    assert (many.values[0], many.values[-1]) == (0, 249)
    assert median(many.values) == pytest.approx(124.5, abs=5)


def test_the_charts_are_drawn_from_the_saved_figures_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "LATEST", tmp_path / "latest.json")
    charts.draw()
    drawn = {path.stem for path in tmp_path.glob("*.png")}
    assert drawn == {path.stem for path in tmp_path.glob("*.svg")} != set()
    assert drawn == {path.stem for path in report.LATEST.parent.glob("*.png")}


def test_a_figure_keeps_what_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "LATEST", tmp_path / "latest.json")
    report.save("part", [report.Figure.of("batch", "s", [3, 1, 2.0004])], 61.2)
    saved = json.loads(report.LATEST.read_text())["part"]
    assert saved["took"] == 61
    assert saved["figures"] == [
        {"name": "batch", "unit": "s", "median": 2.0, "worst": 3, "runs": 3, "values": [3, 1, 2.0]}
    ]


@pytest.mark.parametrize("there", [True, False])
def test_prefect_is_compared_where_it_was_measured(there):
    seconds = {overhead.FLOOR: 5.0, **dict.fromkeys(overhead.DAGS, 7.0)}
    if there:
        seconds[overhead.PREFECT] = 9.0
    rounds = [{name: Batch(took, (), (0.1,)) for name, took in seconds.items()}] * 2
    figures = {figure.name: figure.median for figure in overhead.figures(rounds)}
    ratio = f"over the floor, {overhead.OURS} against {overhead.PREFECT}"
    assert figures.get(ratio) == (0.5 if there else None)
    assert figures.get(f"over the floor, {overhead.PREFECT}") == (4.0 if there else None)
    assert figures[f"over the floor, {overhead.OURS} against {overhead.PLAIN}"] == 1.0


def test_prefect_that_cannot_be_installed_is_left_out_by_name(monkeypatch, capsys):
    monkeypatch.setattr(prefect_server, "PACKAGES", ("/nowhere/prefect-3.whl",))
    with prefect_server.prefect() as server:
        assert server is None
    assert "Prefect is left out, because it cannot be installed: " in capsys.readouterr().out


@pytest.mark.parametrize("lacks", ["no Docker engine answers", ""])
def test_parts_that_need_an_engine_are_skipped_by_name_without_one(tmp_path, monkeypatch, capsys, lacks):
    monkeypatch.setattr(report, "LATEST", tmp_path / "latest.json")
    monkeypatch.setattr(run, "lacking_docker", lambda: lacks)
    measured = dict.fromkeys(run.PARTS, lambda: [report.Figure.of("batch", "s", [1.0])])
    monkeypatch.setattr(run, "PARTS", measured)
    run._measure(["parse", "overhead", "compose"])
    said = capsys.readouterr().out
    assert set(report.last()) == ({"parse"} if lacks else {"parse", "overhead", "compose"})
    assert (f"Skipping overhead, compose: {lacks}" in said) == bool(lacks)
    assert "Measured parse in 0 min 0 s" in said
    assert f"Measured {'1 part' if lacks else '3 parts'} in 0 min 0 s" in said


def test_every_part_that_talks_to_docker_is_known_to_need_an_engine(root):
    imports = {part for part in run.PARTS if "from docker import" in (root / f"bench/{part}.py").read_text()}
    assert imports == set(run.NEED_DOCKER)
