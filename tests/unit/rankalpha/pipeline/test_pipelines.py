import pytest

from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, awaited, following, pipeline, pipeline_of
from rankalpha.settings import SettingsError


def test_what_follows_a_dag():
    scoring, sentiment, grading = "rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading"
    evaluation = "rankalpha_evaluation"
    assert following("rankalpha_ingestion") == (scoring, sentiment, grading, evaluation)
    assert following(scoring) == following(sentiment) == (grading, evaluation)
    assert following(grading) == (evaluation,)
    assert following(evaluation) == ()
    assert awaited("rankalpha_ingestion") == (scoring, sentiment, grading)
    assert awaited(grading) == ()


def test_a_batch_is_graded_by_the_last_step_that_is_not_aside():
    assert DEFAULT_PIPELINE.graded.writes == "grades"
    assert DEFAULT_PIPELINE.grading == "rankalpha_grading"
    assert DEFAULT_PIPELINE.optional == ("rankalpha_evaluation",)


@pytest.fixture
def several(tmp_path, monkeypatch):
    """Choose the tables of the file of markets."""

    def choose(*names):
        (tmp_path / "markets.toml").write_text("".join(f"[{name}]\n" for name in names))
        monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))

    return choose


def test_the_pipeline_of_a_market(several):
    several("default", "nyse")
    assert pipeline() == pipeline("default") == DEFAULT_PIPELINE
    one = pipeline("nyse")
    assert one.dag_ids == tuple(f"rankalpha_nyse_{step.name}" for step in one.steps)
    assert (one.graded.reads, one.graded.writes, one.graded.output) == (
        ("nyse_scores", "nyse_sentiment"),
        "nyse_grades",
        "grades",
    )
    assert pipeline_of("rankalpha_nyse_scoring") == one
    assert pipeline_of("rankalpha_watchdog") is pipeline_of("rankalpha_lse_scoring") is None
    assert following("rankalpha_nyse_scoring") == ("rankalpha_nyse_grading", "rankalpha_nyse_evaluation")


def test_without_a_name_the_only_market_is_meant(several):
    several("nyse")
    assert pipeline().market.name == "nyse"


@pytest.mark.parametrize(
    ("name", "said"),
    [(None, r"name a market; .* has lse, nyse"), ("tse", "there is no market 'tse'")],
)
def test_a_market_that_there_is_not_is_refused(several, name, said):
    several("lse", "nyse")
    with pytest.raises(SettingsError, match=said):
        pipeline(name)
