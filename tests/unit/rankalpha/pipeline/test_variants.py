"""Variants: what a table may say, how each mistake is told, and what is a challenger's own."""

import re

import pytest

from datasets import GRADES, PRICES, SCORES
from rankalpha.pipeline.challenger import Challenger, challengers_of
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.markets import read
from rankalpha.pipeline.pipelines import Pipeline, awaited, following, pipeline_of
from rankalpha.settings import SettingsError

SCORER = "[default.variants.challenger]\nimages = {scorer = 'rankalpha_scorer:2'}\n"
WEIGHT = "sentiment_weight = 0.3\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Write a file of markets that is the chosen one; return its path."""

    def write(text):
        path = tmp_path / "markets.toml"
        path.write_text(text)
        monkeypatch.setenv("RANKALPHA_MARKETS", str(path))
        return path

    return write


def own_steps(table):
    """The challenger's DAGs, each with what it reads and writes."""
    market = Market(variants={"challenger": table})
    return {step.dag_id: (step.reads, step.writes) for step in Pipeline.of(market).steps[5:]}


COMPARED = {"rankalpha_challenger_comparison": (("grades", "challenger_grades"), "challenger_comparisons")}


def test_halves_that_do_not_differ_are_the_champions():
    assert own_steps({"images": {"scorer": "rankalpha_scorer:2"}}) == {
        "rankalpha_challenger_scoring": (("prices",), "challenger_scores"),
        "rankalpha_challenger_grading": (("challenger_scores", "sentiment"), "challenger_grades"),
        **COMPARED,
    }
    assert own_steps({"settings": {"sentiment": {"OPENAI_MODEL": "other"}}}) == {
        "rankalpha_challenger_sentiment": (("prices",), "challenger_sentiment"),
        "rankalpha_challenger_grading": (("scores", "challenger_sentiment"), "challenger_grades"),
        **COMPARED,
    }
    assert own_steps({"sentiment_weight": 0.0}) == {
        "rankalpha_challenger_grading": (("scores", "sentiment"), "challenger_grades"),
        **COMPARED,
    }


def test_the_record_of_a_comparison_begins_again_once_either_side_changes():
    def record(table, **champion):
        return Challenger.of(Market(variants={"rival": table}, **champion), "rival").record

    table, weight = {"images": {"scorer": "rankalpha_scorer:2"}}, {"sentiment_weight": 0.3}
    assert record(table) == record(table, slots=2, promotions=[]) == record({**table, "slots": 3})
    ways = [record(table), record({**table, **weight}), record(table, **weight), record(weight)]
    assert len(set(ways)) == len(ways)
    assert re.fullmatch(r"rival-[0-9a-f]{8}", ways[0])


def test_the_steps_of_a_challenger_follow_and_nobody_awaits_them(file):
    file(SCORER)
    scoring, grading, comparison = own_steps({"images": {"scorer": "x"}})
    assert {scoring, grading, comparison} < set(following("rankalpha_ingestion"))
    assert awaited("rankalpha_ingestion") == ("rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading")
    assert following("rankalpha_grading") == ("rankalpha_evaluation", comparison)
    pipeline = pipeline_of(scoring)
    assert pipeline.optional == ("rankalpha_evaluation", scoring, grading, comparison)
    assert pipeline.grading == "rankalpha_grading"


def test_names_of_its_own_and_data_of_the_champion():
    (one,) = challengers_of(Market(name="nyse", variants={"rival": {"images": {"scorer": "x:2"}}}))
    assert one.dag_id("scoring") == "rankalpha_nyse_rival_scoring"
    own, shared = one.dataset(SCORES), one.dataset(PRICES)
    assert (own.name, own.uri) == ("nyse_rival_scores", "rankalpha://nyse/rival/scores")
    assert shared == one.champion.dataset(PRICES)
    assert [one.plain(name) for name in (own.name, shared.name)] == ["scores", "prices"]
    assert one.pool == "stages_nyse_rival"
    assert (one.folder, one.volume("prices_data"), one.slots) == ("nyse", "prices_data_nyse", 1)
    assert one.tags == ("nyse", "rival")
    assert "**Variant `rival`**" in one.documented("# A\n\nb\n")
    assert one.champion.alike("scores") == one.alike("scores") == ("nyse_scores", "nyse_rival_scores")
    assert one.alike("prices") == ("nyse_prices",)
    (other,) = challengers_of(Market(variants={"rival": {"sentiment_weight": 1}}))
    assert (other.dataset(GRADES).uri, other.dataset(SCORES)) == ("rankalpha://rival/grades", SCORES)


def test_a_variants_images_and_settings_win_over_its_markets():
    market = Market(
        images={"scorer": "a:1", "sentiment": "b:1"},
        variants={"rival": {"images": {"scorer": "a:2"}, "settings": {"sentiment": {"OPENAI_MODEL": "m"}}}},
    )
    one = Challenger.of(market, "rival")
    assert one.images == {"scorer": "a:2", "sentiment": "b:1"}
    assert (one.settings_of("sentiment"), one.settings_of("scorer")) == ({"OPENAI_MODEL": "m"}, {})
    assert market.settings_of("sentiment") == {}


def test_a_challenger_starts_from_its_champions_way_key_by_key():
    rival = {"settings": {"scorer": {"B": "2"}, "sentiment": {"C": "2"}}}
    champion = {"settings": {"scorer": {"A": "1", "B": "1"}}, "sentiment_weight": 0.4}
    market = Market(**champion, variants={"rival": rival, "weight": {"sentiment_weight": 0.0}})
    one, weight = challengers_of(market)
    assert [one.settings_of(stage) for stage in ("scorer", "sentiment")] == [{"A": "1", "B": "2"}, {"C": "2"}]
    assert (one.sentiment_weight, weight.sentiment_weight, market.sentiment_weight) == (0.4, 0.0, 0.4)
    assert weight.settings_of("scorer") == {"A": "1", "B": "1"}
    assert [step.name for step in weight.declared.steps] == ["grading"]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("", "variants.challenger = {}: nothing differs from the champion; expected images, settings or"),
        ("settings = {scorer = {}}", "nothing differs from the champion"),
        ("image = 'x'", "variants.challenger.image = 'x': unknown key; expected images, settings, "),
        (
            "images = {ingestion = 'x'}",
            "images.ingestion: not a stage of a variant; expected scorer, sentime",
        ),
        ("images = {evaluation = 'x'}", "images.evaluation: not a stage of a variant"),
        (
            "images = {scorer = 'X:1'}",
            "variants.challenger.images.scorer = 'X:1': is not the name of an imag",
        ),
        ("settings = {scoring = {A = '1'}}", "settings.scoring: not a stage of a variant"),
        ("settings = {scorer = {A = 1}}", "settings.scorer.A = 1: Input should be a valid string"),
        ("settings = {scorer = {SCORER_IMAGE = 'x:1'}}", "is an image; expected images = {scorer = 'x:1'}"),
        ("settings = {scorer = {SCORER_VERSIONS = 'false'}}", "always writes versions of its own; leave it"),
        ("settings = {scorer = {RANKALPHA_DATE = 'x'}}", "RANKALPHA_DATE is given by Airflow; leave it out"),
        ("settings = {scorer = {'A=B' = 'x'}}", "settings.scorer.A=B "),
        ("sentiment_weight = 1.5", "sentiment_weight = 1.5: Input should be less than or equal to 1"),
        ("slots = 0", "variants.challenger.slots = 0: Input should be greater than 0"),
    ],
)
def test_a_mistake_is_told_with_its_cure(file, table, told):
    path = file(f"[default.variants.challenger]\n{table}\n")
    with pytest.raises(SettingsError) as error:
        read(path)
    assert told in str(error.value)
    assert "[default]" in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SCORER.replace("challenger", "Rival"), "[default] variants.Rival is not a name of a variant; expe"),
        (SCORER.replace("challenger", "scoring"), "is already a tag of DAGs or a folder of data"),
        (
            f"[challenger]\n{SCORER}",
            "[default.variants.challenger] would have the DAGs and datasets of [challenger]; rename one of",
        ),
        (
            f"[default.variants.nyse_rival]\n{WEIGHT}[nyse.variants.rival]\n{WEIGHT}",
            "[nyse.variants.rival] would have the DAGs and datasets of [default.variants.nyse_rival]",
        ),
        ("[default]\nvariants = 1", "[default] variants = 1: Input should be a valid dictionary"),
    ],
)  # fmt: skip
def test_a_name_that_is_taken_or_none_is_told(file, text, told):
    path = file(text)
    with pytest.raises(SettingsError) as error:
        read(path)
    assert told in str(error.value)
