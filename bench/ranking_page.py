"""Part `ranking_page`: the ranking page of 5,000 symbols in Chromium, behind it the reference services."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.report import Figure, say
from tests.support.browser import chromium
from tests.unit.apps.support.local_servers import service
from tests.unit.apps.support.ranked_days import FIRST, SECOND, show

SYMBOLS, LOADS, KEYS = 5000, 7, "S123"
SECTORS = ("Energy", "Financials", "Health care", "Technology", "Utilities")

# notes when the first row is there, and painted
WATCH = """new MutationObserver((_, watcher) => {
  if (!document.querySelector("#rows tr")) return;
  watcher.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
}).observe(document, { childList: true, subtree: true });"""
# types a text, and waits until the page is painted
TYPE = """async (text) => {
  const field = document.querySelector("#filter");
  const start = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
BYTES = """performance.getEntriesByType("resource").filter((each) => each.name.includes("/api/"))
  .reduce((sum, each) => sum + each.encodedBodySize, 0)"""


def measure() -> list[Figure]:
    """Load the page several times, and type in its filter."""
    with (
        tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder,
        _services(Path(folder)) as address,
        chromium() as browser,
    ):
        loads = [_load(browser, address) for _ in range(LOADS)]
    names = {"first rows": "ms", "a key": "ms", "the filter cleared": "ms", "elements": "", "data": "kB"}
    return [
        Figure.of(f"{name}, 5,000 symbols", unit, [value for load in loads for value in load[name]])
        for name, unit in names.items()
    ]


@contextmanager
def _services(data: Path) -> Iterator[str]:
    """Run API and frontend as processes with two batches; give the page's address."""
    chance = random.Random(0)
    with service("api", data / "api.log", RANKALPHA_DATA_DIR=str(data)) as api:
        with httpx.Client(base_url=f"{api}/api/v1/grading", trust_env=False, timeout=120) as http:
            for key in (FIRST, SECOND):
                names = [f"S{number:04}" for number in range(SYMBOLS)]
                signals = {name: tuple(chance.gauss(0, 0.2) for _ in range(4)) for name in names}
                _write_universe(data, key, names)
                show(http, data, key, signals, {name: chance.uniform(-1, 1) for name in names})
        with service("frontend", data / "frontend.log", API_URL=api) as address:
            yield address


def _write_universe(data: Path, key: str, symbols: list[str]) -> None:
    path = data / "prices" / key / "universe.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{symbol},Company {symbol} Incorporated,{SECTORS[number % len(SECTORS)]}"
        for number, symbol in enumerate(symbols)
    ]
    path.write_text("\n".join(["symbol,name,sector", *lines, ""]))


def _load(browser: Any, address: str) -> dict[str, list[float]]:
    """Open the page as a browser does that has nothing of it; return what was measured."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_selector("#rows .move", timeout=60_000)
    page.wait_for_selector("#rows svg path.line")
    found = {
        "first rows": [page.evaluate("window.painted")],
        "a key": [page.evaluate(TYPE, KEYS[:length]) for length in range(1, len(KEYS) + 1)],
        "the filter cleared": [page.evaluate(TYPE, "")],
        "elements": [page.evaluate("document.querySelectorAll('*').length")],
        "data": [page.evaluate(BYTES) / 1000],
    }
    say(", ".join(f"{name} {values[0]:.0f}" for name, values in found.items()))
    page.context.close()
    return found
