"""Part `ranking_page`: the ranking page of 5,000 symbols in Chromium, with the reference API behind it."""

import tempfile
from pathlib import Path
from typing import Any

import httpx

from bench.report import Figure, say
from tests.support.browser import chromium
from tests.support.ranking import FIRST, SECOND, stack, write_batch

SYMBOLS, LOADS, KEYS = 5000, 7, "S123"

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
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        data = Path(folder)
        with stack(data) as (api, frontend), chromium() as browser:
            for key in (FIRST, SECOND):
                write_batch(
                    data, {f"S{number:04}": float(number % 997) / 10 for number in range(SYMBOLS)}, key
                )
                grade = {"batch": key}
                api.post("/api/v1/grading/refresh", json=grade, timeout=60).raise_for_status()
            loads = [_load(browser, frontend) for _ in range(LOADS)]
    names = {"first rows": "ms", "a key": "ms", "the filter cleared": "ms", "elements": "", "data": "kB"}
    return [
        Figure.of(f"{name}, 5,000 symbols", unit, [value for load in loads for value in load[name]])
        for name, unit in names.items()
    ]


def _load(browser: Any, frontend: httpx.Client) -> dict[str, list[float]]:
    """Open the page as a browser does that has nothing of it; return what was measured."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(WATCH)
    page.goto(str(frontend.base_url))
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
