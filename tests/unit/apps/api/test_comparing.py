"""Champion and challenger on the same batches: what differs is what must differ, and nothing else."""

import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.api.comparing import NAMED
from tests.unit.apps.support.api_batch import GRADES, seal_batch
from tests.unit.apps.support.batch_files import KEY, write_prices, write_scores, write_sentiment
from tests.unit.apps.support.graded_versions import candidate, publish, reference

SYMBOLS = [f"S{number:02}" for number in range(40)]
BATCHES = 20
WEIGHT = 0.2  # the API's own


def compare(client: httpx.Client, champion: dict[str, Any], challenger: dict[str, Any]) -> dict[str, Any]:
    body = {"batch": KEY, "champion": reference(champion), "challenger": reference(challenger)}
    answer = client.post("/api/v1/grading/compare", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def halves(data: Path, number: int) -> tuple[dict[str, Any], dict[str, float], dict[str, float]]:
    """Versions of random halves of a batch, with the scores and the sentiment in them."""
    some = random.Random(number)
    scores = {symbol: round(some.uniform(0, 100), 1) for symbol in SYMBOLS}
    sentiment = {symbol: round(some.uniform(-1, 1), 2) for symbol in some.sample(SYMBOLS, 10)}
    write_scores(data, scores)
    write_sentiment(data, sentiment)
    write_prices(data, SYMBOLS[:1])
    return seal_batch(data, KEY, number), scores, sentiment


def letters(scores: dict[str, float], sentiment: dict[str, float], weight: float) -> dict[str, str]:
    """The grades by the method as docs/explain has it, computed in another way than the API does."""
    mixed = {
        symbol: round((1 - weight) * score + weight * (sentiment.get(symbol, 0) + 1) * 50, 2)
        for symbol, score in scores.items()
    }
    best = sorted(mixed, key=lambda symbol: (-mixed[symbol], symbol))
    return {
        symbol: next(
            letter for letter, share in zip("ABCDF", (0.15, 0.4, 0.7, 0.9, 1), strict=True)
            if (place + 0.5) / len(best) <= share
        )
        for place, symbol in enumerate(best)
    }  # fmt: skip


def test_the_same_differs_in_none_of_20_batches(client: httpx.Client, data: Path) -> None:
    for number in range(1, BATCHES + 1):
        inputs, *_ = halves(data, number)
        one = candidate(client, inputs, f"grading-0000000a-{number}")
        two = candidate(client, inputs, f"grading-0000000b-{number}", sentiment_weight=WEIGHT)
        found = compare(client, one, two)
        details = found["details"]
        assert (found["rows"], details["changed"], details["changed_symbols"]) == (len(SYMBOLS), 0, "")
        assert details["rank_correlation"] == pytest.approx(1)
        assert details["top_overlap"] == details["top"] == 6


def test_another_weight_changes_exactly_the_expected_symbols(client: httpx.Client, data: Path) -> None:
    different = 0
    for number in range(1, BATCHES + 1):
        inputs, scores, sentiment = halves(data, number)
        one = candidate(client, inputs, f"grading-0000000a-{number}")
        two = candidate(client, inputs, f"grading-0000000b-{number}", sentiment_weight=0.35)
        before, after = letters(scores, sentiment, WEIGHT), letters(scores, sentiment, 0.35)
        expected = {f"{symbol} {before[symbol]}-{after[symbol]}" for symbol in SYMBOLS
                    if before[symbol] != after[symbol]}  # fmt: skip
        details = compare(client, one, two)["details"]
        assert details["changed"] == len(expected) <= NAMED
        assert set(filter(None, details["changed_symbols"].split(", "))) == expected
        assert 0.9 < details["rank_correlation"] < 1
        different += bool(expected)
    assert different > BATCHES / 2


def test_another_builds_scores(client: httpx.Client, data: Path, inputs: dict[str, Any]) -> None:
    """Of four symbols KO rises to the first place; the new build leaves XOM out, and has MSFT."""
    one = candidate(client, inputs)
    write_scores(data, {"AAPL": 80.0, "KO": 99.0, "PG": 40.0, "MSFT": 10.0})
    write_sentiment(data, {"AAPL": 0.5})
    write_prices(data, ["AAPL"])
    two = candidate(client, seal_batch(data, KEY, 2), "grading-0a1b2c3d-2")
    found = compare(client, one, two)
    assert (found["rows"], found["symbols"], found["as_of"]) == (3, 3, "2026-11-20")
    assert found["details"] == {
        "changed": 2,
        "changed_symbols": "AAPL A-B, KO B-A",
        "champion_only": 1,
        "challenger_only": 1,
        "rank_correlation": pytest.approx(0.5),
        "top": 1,
        "top_overlap": 0,
        **{f"{who}_{letter}": number for who in ("champion", "challenger")
           for letter, number in {"A": 1, "B": 1, "C": 1, "D": 1, "F": 0}.items()},
    }  # fmt: skip


def test_a_weight_of_ones_own_is_of_a_version_and_shows_nothing(
    client: httpx.Client, inputs: dict[str, Any]
) -> None:
    first = candidate(client, inputs)
    publish(client, first)
    candidate(client, inputs, "grading-0a1b2c3d-2", sentiment_weight=1.0)
    shown = client.get(GRADES, params={"batch": KEY}).json()
    assert (shown["sentiment_weight"], shown["grades"][0]["symbol"]) == (WEIGHT, "AAPL")


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"path": f"prices/{KEY}/scorer-0a1b2c3d-1"}, 422, "champion.path: expected a version below grades/"),
        ({"path": f"grades/{KEY}/grading-0a1b2c3d-9"}, 422, "missing, so this version was removed"),
        ({"sha256": "0a" * 32}, 422, "was published"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    client: httpx.Client, inputs: dict[str, Any], change: dict[str, str], status: int, told: str
) -> None:
    version = reference(candidate(client, inputs))
    body = {"batch": KEY, "champion": {**version, **change}, "challenger": version}
    answer = client.post("/api/v1/grading/compare", json=body)
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.text
