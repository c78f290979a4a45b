"""The ranking page with the real API and frontend behind it, and batches that tell a story of three days."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from apps.api.app import create_app as create_api
from apps.api.settings import Settings as ApiSettings
from apps.evaluation.form import Evaluation
from apps.frontend.app import create_app as create_frontend
from apps.frontend.settings import Settings as FrontendSettings
from tests.unit.apps.support.batch_files import KEY, write_prices, write_scores, write_sentiment
from tests.unit.apps.support.local_servers import served

FIRST, SECOND, THIRD = "2026-11-20T06:00:00", "2026-11-21T06:00:00", KEY
DAYS = {  # IBM leaves after the first day, GE comes on the third
    FIRST: {"AAPL": 80.0, "KO": 60.0, "PG": 40.0, "XOM": 20.0, "IBM": 10.0},
    SECOND: {"AAPL": 80.0, "PG": 60.0, "KO": 40.0, "XOM": 20.0},
    THIRD: {"AAPL": 80.0, "XOM": 60.0, "KO": 40.0, "PG": 20.0, "GE": 10.0},
}
SENTIMENT = {"AAPL": 0.5, "KO": -0.5}
TITLES = {
    "AAPL": [{"title": "Apple sells more", "sentiment": 0.5}],
    "KO": [{"title": "<b>Flat</b>", "sentiment": None}],
}
NOTHING: dict[str, Any] = {  # of a horizon whose returns are not in
    **dict.fromkeys(("ic", "t", "low", "high", "hit_rate", "later_ic", "spread", "spread_t", "coverage")),
    "returns": dict.fromkeys("ABCDF"),
    "sessions": 0,
    "by_period": [],
}
UNIVERSE = """symbol,name,sector,from,to
AAPL,Apple,Technology,,
KO,Coca-Cola,Consumer goods,,
PG,Procter & Gamble,Consumer goods,,
XOM,Exxon Mobil,Energy,,
"""


def write_batch(data: Path, scores: Mapping[str, float | None], key: str = KEY) -> None:
    """Write the files of a batch that can be graded."""
    write_scores(data, dict(scores), key)
    write_sentiment(data, SENTIMENT, key)
    write_prices(data, list(scores), key)


def write_days(data: Path, api: httpx.Client) -> None:
    """Have the three days graded, with names, sectors and headlines."""
    for key, scores in DAYS.items():
        write_batch(data, scores, key)
        (data / "prices" / key / "universe.csv").write_text(UNIVERSE)
        path = data / "company_reports" / key / "sentiment.json"
        report = json.loads(path.read_text())
        for entry in report["symbols"]:
            entry["titles"] = TITLES[entry["symbol"]]
        path.write_text(json.dumps(report))
        api.post("/api/v1/grading/refresh", json={"batch": key}).raise_for_status()


@contextmanager
def stack(data: Path) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Run the API and the frontend; give a client for each."""
    markets = data / "markets.toml"
    markets.write_text("[default]\n[nyse]\n")
    with served(create_api(ApiSettings(data_dir=data, markets=markets))) as api:  # noqa: SIM117
        with served(create_frontend(FrontendSettings(api_url=str(api.base_url)))) as frontend:
            yield api, frontend


def open_page(browser: Any, frontend: httpx.Client, address: str = "", **context: Any) -> Any:
    """Open the page; `complaints` are errors of its scripts, and dialogs that something on it has opened."""
    opened = browser.new_context(**context).new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (opened.complaints.append("a dialog"), dialog.dismiss()))
    opened.goto(f"{frontend.base_url}{address}")
    return opened


def symbols(page: Any) -> list[str]:
    """Return the symbols in the table, in order."""
    return page.locator("#rows .ticker").all_text_contents()


def query(page: Any) -> dict[str, str]:
    """Return what the address of a page asks for."""
    return {name: value for name, (value,) in parse_qs(urlsplit(page.url).query).items()}


def fragment(page: Any) -> str:
    """Return the symbol that the address of a page names."""
    return unquote(urlsplit(page.url).fragment)


INSIDE = """(width) => {
  // there is none while rows are drawn again
  const last = document.querySelector("#rows tr .column-trend")?.getBoundingClientRect();
  const card = document.querySelector(".card").getBoundingClientRect();
  return Boolean(last?.width) && last.right <= card.right + 0.5
    && document.documentElement.scrollWidth <= width;
}"""


def fits(page: Any, width: int) -> bool:
    """Return whether the page is no wider than that, and its table's last column within the card."""
    return bool(page.evaluate(INSIDE, width))


def amount(text: str) -> float:
    """Return the number that a text on the page is."""
    return float(text.replace("\N{MINUS SIGN}", "-"))


def measures(**changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "sessions": 300,
        "periods": 300,
        "ic": 0.032,
        "t": 1.8,
        "low": -0.01,
        "high": 0.07,
    }
    made |= {
        "hit_rate": 0.55,
        "later_ic": 0.01,
        "spread": 0.012,
        "spread_t": 1.1,
        "turnover": 0.2,
        "coverage": 0.98,
    }
    made |= {"returns": dict(zip("ABCDF", (0.01, 0.004, 0.0, -0.002, -0.002), strict=True))}
    return {**made, "by_period": [{"period": "2025", "sessions": 250, "ic": 0.03, "spread": 0.01}], **changed}


def record(live_sessions: int) -> dict[str, Any]:
    """A record as the API answers it."""
    live = measures() if live_sessions else measures(**NOTHING)
    part = {"first": "2025-11-20", "last": "2026-11-20", "gradings": 250, "every": None, "limits": []}
    past = {**part, "every": 7, "limits": ["It knows no costs."]}
    spans = ("1", "5", "21", "63")
    made = {"batch": THIRD, "as_of": "2026-11-20", "symbols": 20, "horizons": [1, 5, 21, 63]} | {
        "live": {**part, "figures": {"composite": dict.fromkeys(spans, live)}},
        "backtest": {
            **past,
            "figures": {name: dict.fromkeys(spans, measures()) for name in ("score", "value")},
        },
    }
    return Evaluation.model_validate(made).model_dump(mode="json")
