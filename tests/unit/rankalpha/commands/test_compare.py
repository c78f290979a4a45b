"""What `rankalpha compare` prints, and when it refuses."""

import json

import pytest

from rankalpha.commands.compare import compare
from rankalpha.commands.refusals import REFUSALS

KEYS = [f"2026-11-{day}T06:00:00" for day in (18, 19, 20)]
SAME = {"changed": 0, "changed_symbols": "", "rank_correlation": 1.0, "top": 2, "top_overlap": 2}
OTHER = {
    "changed": 2,
    "changed_symbols": "KO B-A, PG A-B",
    "rank_correlation": 0.9,
    "top": 2,
    "top_overlap": 1,
    **{f"{name}_{horizon}": None for name in ("champion_spread", "challenger_spread", "difference",
       "difference_low", "difference_high") for horizon in (1, 5, 21)},
    "sessions_1": 40, "champion_spread_1": 0.0021, "challenger_spread_1": 0.0033, "difference_1": 0.0012,
       "difference_low_1": -0.0004, "difference_high_1": 0.0031,
    "sessions_5": 9, "champion_spread_5": 0.01, "challenger_spread_5": 0.01, "difference_5": 0.0,
    "sessions_21": 0,
}  # fmt: skip


def event(name, key, at, **extra):
    return {
        "name": name,
        "partition_key": key,
        "timestamp": f"{key[:10]}T07:{at:02}:00+00:00",
        "extra": extra,
    }


def result(details):
    return {"rows": 20, "symbols": 20, "as_of": "2026-11-17", "details": details}


@pytest.fixture
def airflow(monkeypatch, tmp_path, serving):
    """Airflow's API with the events of a champion and its challenger."""
    (tmp_path / "markets.toml").write_text(
        "[default.variants.rival]\nimages = {scorer = 'rankalpha_scorer:2'}\n"
    )
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    monkeypatch.setenv("COLUMNS", "80")
    events = [
        event("rival_comparisons", KEYS[0], 1, **result(SAME)),
        event("rival_comparisons", KEYS[1], 1, **result(OTHER)),
        event("rival_comparisons", KEYS[2], 1, **result(SAME)),
        event("rival_comparisons", KEYS[2], 2, **result(OTHER)),  # it was graded again
        event("rival_comparisons_of_another", KEYS[2], 3, **result(SAME)),
        event("rival_comparisons", "not a key", 3, **result(SAME)),
        *(event("scores", key, 0, container={"seconds": 2.0, "cpu_seconds": 1.0}) for key in KEYS),
        event("rival_scores", KEYS[1], 0, container={"seconds": 6.0, "peak_memory_bytes": 64 * 1024**2}),
        event("rival_scores", KEYS[2], 0, reused_from=KEYS[1]),
    ]  # fmt: skip

    def answer(request):
        (prefix,) = request.query["name_prefix_pattern"]
        newest_first = request.query["order_by"] == ["-timestamp"]
        found = [one for one in events if one["name"].startswith(prefix)]
        found.sort(key=lambda one: one["timestamp"], reverse=newest_first)
        return 200, {"asset_events": found, "total_entries": len(found)}

    with serving(answer):
        yield events


def test_the_newest_batches_are_compared_as_they_were_published_last(airflow, capsys):
    assert compare("rival", 2, None, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["batch"] for row in found["batches"]] == [KEYS[2], KEYS[1]]
    assert found["summary"] == {
        "batches": 2,
        "different": 2,
        "changed": 4,
        "rank_correlation": 0.9,
        "top_overlap": 0.5,
    }
    assert found["stages"] == [
        {"stage": "scorer", "who": "champion", "runs": 2, "seconds": 2.0, "cpu_seconds": 1.0,
         "peak_memory_bytes": None},
        {"stage": "scorer", "who": "challenger", "runs": 1, "seconds": 6.0, "cpu_seconds": None,
         "peak_memory_bytes": 64 * 1024**2},
    ]  # fmt: skip


def test_what_a_minus_f_was_worth_is_that_of_the_newest_batch(airflow, capsys):
    compare("rival", 20, None, as_json=True)
    first, second, third = json.loads(capsys.readouterr().out)["returns"]
    assert first == {"horizon": 1, "sessions": 40, "champion": 0.0021, "challenger": 0.0033,
                     "difference": 0.0012, "low": -0.0004, "high": 0.0031}  # fmt: skip
    assert (second["sessions"], second["difference"], second["low"]) == (9, 0.0, None)
    assert (third["sessions"], third["difference"]) == (0, None)
    compare("rival", 20, None, as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "1 40 +0.21 % +0.33 % +0.12 % -0.04 % to +0.31 %",
        "5 9 +1.00 % +1.00 % +0.00 % too few sessions",
        "21 0 - - - too few sessions",
    ):
        assert line in lines


def test_a_service_that_does_not_know_returns_has_none(airflow, capsys):
    airflow[:] = [one for one in airflow if one["extra"].get("details") != OTHER]
    compare("rival", 20, None, as_json=True)
    assert json.loads(capsys.readouterr().out)["returns"] == []
    compare("rival", 20, None, as_json=False)
    assert "A minus F" not in capsys.readouterr().out


def test_it_is_shown_as_tables(airflow, capsys):
    assert compare("rival", 20, None, as_json=False) == 0
    text = capsys.readouterr().out
    assert "Batches that differ: 2 of 3, in 4 letters." in text
    assert f"{KEYS[1]}: KO B-A, PG A-B" in text
    assert "0.900" in text
    assert "1 of 2" in text
    assert "…" not in text


def test_without_a_variant_or_a_comparison_it_says_where_to_look(airflow):
    with pytest.raises(REFUSALS, match="there is no variant 'other'; there is rival"):
        compare("other", 20, None, as_json=False)
    airflow.clear()
    with pytest.raises(REFUSALS, match="is compared yet; see rankalpha_rival_comparison in Airflow"):
        compare("rival", 20, None, as_json=False)
