"""How the charts look, and where they go."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bench.report import LATEST

# dark enough on white, and distinct for all readers (Okabe and Ito, Color Universal Design)
OURS, THEIRS, ACCENT = "#0072b2", "#767676", "#d55e00"
PALE = "#a9cfe6"
SERIES = (OURS, ACCENT, "#007a5a", "#8a4a7d", THEIRS, "#3d3d3d")
WIDTH = 9.0  # inches, which a README shows at some two thirds of its size
STYLE = {
    "figure.facecolor": "white",  # solid, for a dark page too
    "font.size": 13,
    "axes.titlesize": 15,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": "#444444",
    "xtick.color": "#444444",
    "ytick.left": False,
    "svg.hashsalt": "rankalpha",  # the same figures give the same file
}


@contextmanager
def chart(name: str, height: float, columns: int = 1, rows: int = 1) -> Iterator[Sequence[Axes]]:
    """Yield the panels of a chart, in columns or in rows; then write it as PNG and SVG."""
    mpl.use("agg")
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows, columns, figsize=(WIDTH, height), layout="constrained", squeeze=False
        )
        yield list(axes.flat)
        for ending, metadata in (("png", None), ("svg", {"Date": None})):
            figure.savefig(LATEST.with_name(f"{name}.{ending}"), dpi=160, metadata=metadata)
        plt.close(figure)


def bars(
    axes: Axes,
    labels: Sequence[str],
    runs: Sequence[Sequence[float]],
    texts: Sequence[str],
    colors: Sequence[str],
) -> None:
    """Draw a bar for each median, from the top, with a dot for each run where there are several."""
    rows = range(len(labels))
    axes.barh(rows, [median(values) for values in runs], color=colors, height=0.6)
    longest = max(max(values) for values in runs)
    for row, (values, text) in enumerate(zip(runs, texts, strict=True)):
        if len(values) > 1:
            axes.plot(values, [row] * len(values), "o", color="white", markeredgecolor="black", markersize=6)
        axes.text(max(values) + longest * 0.02, row, text, va="center", fontweight="bold")
    axes.set_yticks(rows, labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(0, longest * 1.3)


def number(value: float) -> str:
    """Return a number with as many digits as a reader wants."""
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"  # noqa: PLR2004
