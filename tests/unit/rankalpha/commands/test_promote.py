"""What `rankalpha promote` writes and prints, and when it refuses."""

import pytest
from click.testing import CliRunner

from rankalpha.commands.pipeline_commands import promote as command
from rankalpha.commands.promote import promote, undo
from rankalpha.commands.refusals import REFUSALS
from rankalpha.pipeline.markets import read

IMAGE = "rankalpha_scorer:2"
PINNED = f"{IMAGE}@sha256:{'0a' * 32}"
TEXT = f"""\
[default]
sentiment_weight = 0.2  # as ever

[default.variants.rival]
images = {{scorer = "{IMAGE}"}}
settings = {{sentiment = {{OPENAI_MODEL = "m", OPENAI_API_KEY = "sesame"}}}}
sentiment_weight = 0.3
"""
PATHS = [f"prices/2026-11-{day}T06:00:00/scorer-1-1" for day in (18, 19)]


def event(name, minute, path=None, **extra):
    version = {"version": {"path": path, "sha256": "0a" * 32}} if path else {}
    return {
        "name": name,
        "partition_key": "2026-11-20T06:00:00",
        "timestamp": f"2026-11-20T07:{minute:02}:00Z",
        "extra": {**extra, **version},
    }


def made(minute, path, image=IMAGE, **container):
    return event("rival_scores", minute, path, container={"image": image, **container})


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "markets.toml"
    path.write_text(TEXT)
    monkeypatch.setenv("RANKALPHA_MARKETS", str(path))
    return path


@pytest.fixture
def airflow(file, serving):
    """Airflow's API with the events of a variant that was compared."""
    events = [event("rival_comparisons", 1), made(2, PATHS[0], pinned=PINNED)]

    def answer(request):
        (prefix,) = request.query["name_prefix_pattern"]
        assert request.query["order_by"] == ["-timestamp"]
        found = [one for one in events if one["name"].startswith(prefix)]
        return 200, {"asset_events": sorted(found, key=lambda one: one["timestamp"], reverse=True)}

    with serving(answer):
        yield events


def test_the_image_is_by_the_digest_of_what_made_the_newest_version(airflow, file, capsys):
    assert promote("rival", " Better by 2 points ", None) == 0
    (market,) = read(file)
    assert market.images == {"scorer": PINNED}
    assert (market.sentiment_weight, market.variants) == (0.3, {})
    (record,) = market.promotions
    assert (record.variant, record.by, record.reason) == ("rival", "rankalpha", "Better by 2 points")
    assert record.at.utcoffset().total_seconds() == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  sentiment_weight: 0.2 → 0.3",
        f"  images.scorer: not set → {PINNED}",
        "  settings.sentiment.OPENAI_MODEL: not set → m",
        "  settings.sentiment.OPENAI_API_KEY: not set → ***",
        "It takes effect at the next start: `docker compose up -d --build`. The way back is --undo.",
    ]


def test_it_is_undone_without_airflow(airflow, file, capsys):
    before = read(file)[0]
    promote("rival", "better", None)
    airflow.clear()
    assert undo("worse after all", None) == 0
    after = read(file)[0]
    assert after.model_copy(update={"promotions": []}) == before
    assert (after.promotions[1].undoes, after.promotions[1].reason) == ("rival", "worse after all")
    out = capsys.readouterr().out
    assert f"  images.scorer: {PINNED} → not set" in out
    assert "***" in out
    assert "sesame" not in out
    with pytest.raises(REFUSALS, match=r"markets.toml: \[default\] no promotion is left to undo"):
        undo("again", None)


def test_a_version_that_was_used_again_was_made_by_the_container_of_its_first_batch(airflow, file):
    """Another image has made versions in between."""
    airflow += [
        made(3, PATHS[1], pinned="rankalpha_scorer:2@sha256:" + "0b" * 32),
        event("rival_scores", 4, PATHS[0], reused_from="2026-11-18T06:00:00"),
        event("rival_scores_of_another", 5, PATHS[1], container={"image": "x", "pinned": "x"}),
    ]
    promote("rival", "better", None)
    assert read(file)[0].images == {"scorer": PINNED}


def test_where_no_image_runs_its_name_stays(airflow, file):
    airflow.append(made(3, PATHS[1], pinned=None))
    promote("rival", "better", None)
    assert read(file)[0].images == {"scorer": IMAGE}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([], "no batch of variant rival is compared yet; see rankalpha_rival_comparison in Airflow"),
        (
            [event("rival_comparisons", 1), event("rival_scores", 2, PATHS[0], reused_from="x")],
            "image made the newest version of rival_scores; trigger rankalpha_rival_scoring with reuse sw",
        ),
        ([event("rival_comparisons", 1), made(2, PATHS[0])], "not known which image"),  # of an older release
        (
            [event("rival_comparisons", 1), made(2, PATHS[0], "rankalpha_scorer:1", pinned=None)],
            "scorer:1 made the newest version of rival_scores, and not rankalpha_scorer:2, as the file of",
        ),
    ],
)  # fmt: skip
def test_what_nobody_has_compared_is_not_promoted(airflow, file, events, told):
    airflow[:] = events
    with pytest.raises(REFUSALS, match=told):
        promote("rival", "better", None)
    assert file.read_text() == TEXT


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("other", "better", None), "there is no variant 'other'; there is rival"),
        (("rival", " ", None), "the reason is missing: it stays on record"),
        (("rival", "better", "nyse"), "there is no market 'nyse'"),
    ],
)
def test_what_cannot_be_promoted_is_refused(airflow, file, given, told):
    with pytest.raises(REFUSALS, match=told):
        promote(*given)
    assert file.read_text() == TEXT


@pytest.mark.parametrize("given", [[], ["--variant", "rival", "--undo"]])
def test_it_is_one_of_both(given):
    found = CliRunner().invoke(command, [*given, "--reason", "better"])
    assert (found.exit_code, "give either --variant or --undo" in found.output) == (2, True)
