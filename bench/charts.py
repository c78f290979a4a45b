"""The charts of bench/results/, drawn from its JSON files alone."""

import json
from statistics import median
from typing import Any

from matplotlib.axes import Axes

from bench import in_flight, markets, overhead, parse
from bench.drawing import ACCENT, OURS, PALE, SERIES, THEIRS, bars, chart, number
from bench.report import last, say
from bench.work import SECONDS

KINDS = {OURS: "container", PALE: "its task"}
Runs = dict[str, list[float]]  # the values of each figure


def draw() -> None:
    """Draw each chart whose part has been measured."""
    charts = {
        "overhead": _overhead,
        "in_flight": _memory,
        "parse": _parse,
        "markets": _markets,
    }
    saved = last()
    for part in charts.keys() & saved.keys():
        charts[part]({figure["name"]: figure["values"] for figure in saved[part]["figures"]})
    say("Drew the charts")


def _color(name: str) -> str:
    return OURS if name.startswith("RankAlpha") else THEIRS


def _overhead(runs: Runs) -> None:
    """Draw what each contender adds, then where the time of a batch goes."""
    rounds = json.loads(overhead.RUNS.read_text())
    names = overhead.contenders(rounds[0])
    values = [runs[f"over the floor, {name}"] for name in names]
    floor = median(runs[f"batch, {overhead.FLOOR}"])
    with chart("overhead", 0.7 * len(names) + 0.8) as (axes,):
        bars(axes, names, values, [f"{median(runs):.2f} s" for runs in values], [*map(_color, names)])
        axes.set_title("What orchestration adds to a batch")
        axes.set_xlabel(f"seconds over bare docker run ({floor:.2f} s); bar: median, dots: all runs")
    _timeline(rounds, names)


def _timeline(rounds: list[dict[str, Any]], names: list[str]) -> None:
    """Draw of each contender the batch that took the median time."""
    lanes: dict[float, str] = {}  # rows, with the name of their stage
    with chart("timeline", 1.8 * (len(names) + 1)) as (axes,):
        for number, name in enumerate((overhead.FLOOR, *names)):
            batches = sorted((batches[name] for batches in rounds), key=lambda batch: batch["seconds"])
            batch, top = batches[len(batches) // 2], number * (len(SECONDS) + 1.5)
            axes.text(0, top - 0.9, f"{name}: {batch['seconds']:.2f} s", va="center", fontweight="bold")
            lanes |= {top + lane: stage for lane, stage in enumerate(SECONDS)}
            _batch(axes, batch, top)
        for color, what in KINDS.items():
            axes.barh(0, 0, color=color, label=what)
        axes.legend(loc="upper right", frameon=False)
        axes.set_yticks(list(lanes), list(lanes.values()), fontsize=11, color="#444444")
        axes.set_ylim(max(lanes) + 0.7, -1.6)
        axes.set_title("Where the time of a batch goes")
        axes.set_xlabel("seconds since the trigger, in the batch of median time")


def _batch(axes: Axes, batch: dict[str, Any], top: float) -> None:
    """Draw a row for each stage, and where the batch ends."""
    rows = {stage: top + row for row, stage in enumerate(SECONDS)}
    for span in sorted(batch["spans"], key=lambda span: span["what"], reverse=True):  # containers last
        stage = span["stage"].rpartition("_")[2]
        color = PALE if span["what"] == "task" else OURS
        axes.barh(rows[stage], span["end"] - span["start"], left=span["start"], color=color, height=0.8)
    axes.plot([batch["seconds"]] * 2, [top - 0.4, max(rows.values()) + 0.4], color="black", linewidth=1.5)


def _memory(runs: Runs) -> None:
    """Draw what a stage in flight takes, and of what the memory of the idle stacks is made."""
    names = [in_flight.STOCK, in_flight.OURS]
    with chart("memory", 2.6) as (axes,):
        values = [runs[f"memory of a stage in flight (PSS), {name}"] for name in names]
        bars(axes, names, values, [f"{number(memory[0])} MB" for memory in values], [*map(_color, names)])
        axes.set_title("A stage in flight")
        axes.set_xlabel("MB (PSS)")
    with chart("idle", 6.4, rows=2) as panels:
        for axes, what, unit in zip(panels, ("memory", "CPU"), ("MB (PSS)", "cores"), strict=True):
            _components(axes, runs, what)
            axes.set_title(f"{what[0].upper()}{what[1:]} of the idle stack, by component")
            axes.set_xlabel(unit)
        axes.legend(ncols=3, frameon=False, fontsize=11, loc="upper center", bbox_to_anchor=(0.5, -0.3))


def _components(axes: Axes, runs: Runs, what: str) -> None:
    """Draw a bar for each stack, a piece for each component; a wide piece shows its figure."""
    kind = f"{what} of the idle stack" + (" (PSS)" if what == "memory" else "")
    names = [in_flight.STOCK, in_flight.OURS]
    ends = [0.0, 0.0]
    longest = max(runs[f"{kind}, {name}"][0] for name in names)
    for component, color in zip((*in_flight.COMPONENTS, in_flight.SERVICES), SERIES, strict=True):
        figures = [runs.get(f"{kind}, {name}, {component}", [0.0])[0] for name in names]
        axes.barh(range(len(names)), figures, left=ends, color=color, height=0.6, label=component)
        for row, value in enumerate(figures):
            if value > longest / 20:
                middle = ends[row] + value / 2
                axes.text(middle, row, number(value), ha="center", va="center", color="white", fontsize=11)
        ends = [end + value for end, value in zip(ends, figures, strict=True)]
    for row, name in enumerate(names):
        whole = runs[f"{kind}, {name}"][0]
        axes.text(whole + longest * 0.02, row, number(whole), va="center", fontweight="bold")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(0, longest * 1.15)


def _parse(runs: Runs) -> None:
    names = [parse.CLASSIC, parse.PLAIN, parse.ALL, parse.EACH]
    values = [runs[f"{name}, CPU"] for name in names]
    calls = [median(runs[f"{name}, calls"]) for name in names]
    with chart("parse", 3.6) as (axes,):
        texts = [
            f"{median(seconds):.2f} s, {call:.0f} calls" for seconds, call in zip(values, calls, strict=True)
        ]
        bars(axes, names, values, texts, [*map(_color, names)])
        axes.set_title("What parsing costs")
        axes.set_xlabel("CPU seconds; bar: median, dots: all runs")


def _markets(runs: Runs) -> None:
    """Draw what grows with the number of pipelines."""
    panels = {
        "Parsing, CPU s": {"the DAG folder": "parsing"},
        "Idle CPU, cores": {name: f"CPU of the idle {name}" for name in markets.COMPONENTS},
        "Idle memory, MB": {name: f"memory of the idle {name} (PSS)" for name in markets.COMPONENTS},
    }
    with chart("markets", 3.8, columns=len(panels)) as drawn:
        for axes, (title, lines) in zip(drawn, panels.items(), strict=True):
            for row, (label, figure) in enumerate(lines.items()):
                values = [median(runs[f"{figure}, {markets.named(count)}"]) for count in markets.COUNTS]
                color = (OURS, ACCENT)[row]
                axes.plot(markets.COUNTS, values, "o-", color=color, linewidth=2)
                end, above = (
                    (markets.COUNTS[-1], values[-1]),
                    {"xytext": (0, 7), "textcoords": "offset points"},
                )
                axes.annotate(number(values[-1]), end, **above, color=color, ha="right", fontweight="bold")
                axes.text(0.03, 0.97 - row / 10, label, color=color, va="top", transform=axes.transAxes)
            axes.set_xscale("log")
            axes.set_xticks(markets.COUNTS, markets.COUNTS)
            axes.set_ylim(0, axes.get_ylim()[1] * 1.3)
            axes.set_title(title)
            axes.set_xlabel("markets of 4 DAGs")
            axes.grid(axis="y", color="#dddddd")
            axes.set_axisbelow(True)
