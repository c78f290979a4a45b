"""The file of the markets: what it may say, and how each mistake is told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rankalpha.pipeline.challenger import challengers_of
from rankalpha.pipeline.exchanges import CODES
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.markets import markets, read
from rankalpha.pipeline.training import Training
from rankalpha.settings import SettingsError

ROOT = Path(__file__).parents[4]


def test_the_shipped_file_holds_the_default_market_alone():
    assert read(ROOT / "datasets" / "markets.toml") == (Market(),)


def test_the_example_in_the_shipped_file_is_a_market(file):
    lines = (ROOT / "datasets" / "markets.toml").read_text().splitlines()
    example = [line.removeprefix("# ") for line in lines[lines.index("") + 1 :]]
    default, nyse = read(file("\n".join(example)))
    assert default == Market(variants=default.variants, training=Training())
    (challenger,) = challengers_of(default)
    assert (challenger.variant, challenger.images) == ("challenger", {"scorer": "rankalpha_scorer:2"})
    assert challenger.settings_of("scorer") == {"SCORER_SECTOR_NEUTRAL": "true"}
    assert (challenger.sentiment_weight, challenger.slots) == (0.3, 1)
    assert (nyse.name, nyse.schedule, nyse.profile, nyse.slots) == ("nyse", "30 21 * * 1-5", "nyse", 4)
    assert nyse.calendar == "XNYS"
    assert (nyse.graded_within_sessions, nyse.started_within_sessions) == (1, 1)
    assert nyse.images == {"ingestion": "nyse_ingestion:1.4", "scorer": "rankalpha_scorer:2"}
    assert nyse.settings_of("scorer") == {"SCORER_STALE_SESSIONS": "3"}
    assert nyse.sentiment_weight == 0.1


def test_the_default_market_alone_has_a_calendar_that_the_file_does_not_name(file):
    read_from = read(file("[default]\n[lse]\n[hkex]\ncalendar = 'HKEX'"))
    assert [market.calendar for market in read_from] == ["XNYS", "", "HKEX"]
    assert read(file("[default]\ncalendar = ''"))[0].calendar == ""


def test_a_calendar_is_known_without_the_library():
    from exchange_calendars import get_calendar_names

    assert sorted(CODES) == sorted(get_calendar_names())


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_without_a_table_there_is_the_default_market(file, text):
    assert read(file(text)) == (Market(),)


def test_without_a_file_there_is_the_default_market():
    assert markets() == (Market(),)


def test_a_file_that_a_setting_names_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match=r"RANKALPHA_MARKETS='.*none.toml' cannot be read: No such file"):
        markets()


def test_the_default_market_may_be_left_out(file):
    assert [one.name for one in read(file("[lse]\n[us_tech]\n"))] == ["lse", "us_tech"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[nyse]\nshedule = '0 6 * * *'",
            "[nyse] shedule = '0 6 * * *': unknown key; expected schedule,",
        ),
        ("[nyse]\nname = 'x'", "[nyse] name = 'x': unknown key"),
        (
            "[nyse]\nschedule = '0 6 * *'",
            "[nyse] schedule = '0 6 * *': is not a cron expression; expected five fields such as",
        ),
        ("[nyse]\nschedule = '0 0 6 * * *'", "is not a cron expression"),
        ("[nyse]\nschedule = '0 25 * * *'", "[nyse] schedule = '0 25 * * *': is not a cron expression"),
        ("[nyse]\nschedule = '@daily'", "is not a cron expression"),
        ("[nyse]\nschedule = '0 0 31 2 *'", "is a cron expression of a day that never comes"),
        ("[nyse]\nschedule = 6", "[nyse] schedule = 6: Input should be a valid string"),
        ("[nyse]\ncalendar = 'xnys'", "[nyse] calendar = 'xnys': is not an exchange; expected XNYS or "),
        (
            "[nyse]\ncalendar = 'New York'",
            "is not an exchange; expected a code of exchange_calendars such as",
        ),
        ("[nyse]\ncalendar = 1", "[nyse] calendar = 1: Input should be a valid string"),
        (
            "[nyse]\ngraded_within_sessions = 1",
            "[nyse] graded_within_sessions = 1: needs the sessions of an exchange; name it as well, such as ",
        ),
        (
            "[default]\ncalendar = ''\nstarted_within_sessions = 1",
            "[default] started_within_sessions = 1: needs the sessions of an exchange",
        ),
        (
            "[default]\nstarted_within_sessions = 6",
            "[default] started_within_sessions = 6: Input should be less than or equal to 5",
        ),
        (
            "[default]\ngraded_within_sessions = '1'",
            "= '1': Input should be a valid integer",
        ),
        ("[nyse]\nslots = 0", "[nyse] slots = 0: Input should be greater than 0"),
        ("[nyse]\nslots = '4'", "[nyse] slots = '4': Input should be a valid integer"),
        ("[nyse]\nslots = true", "[nyse] slots = True: Input should be a valid integer"),
        ("[nyse]\nprofile = ''", "[nyse] profile = '': String should have at least 1 character"),
        ("[nyse]\nimages = 'x:1'", "[nyse] images = 'x:1': Input should be a valid dictionary"),
        (
            "[nyse]\nslots = 99999999999",
            "[nyse] slots = 99999999999: Input should be less than or equal to 2147483647",
        ),
        ("[nyse]\nslots = inf", "[nyse] slots = inf: Input should be a valid integer"),
        ("[nyse.images]\nscorer = ''", "[nyse] images.scorer = '': is empty"),
        (
            "[nyse.images]\nscorer = 'Scorer:1'",
            "[nyse] images.scorer = 'Scorer:1': is not the name of an image",
        ),
        (
            '[nyse.images]\nscorer = "a\\u0000"',
            r"[nyse] images.scorer = 'a\x00': holds the character U+0000 (NUL)",
        ),
        ('[nyse]\nschedule = "0 6 * * \\u0000"', "is not a cron expression"),
        (
            "[nyse.settings.scoring]\nA = '1'",
            "[nyse] settings = {'scoring': {'A': '1'}}: settings.scoring: not a stage of a market; expected",
        ),
        ("[nyse.settings.scorer]\nA = 1", "[nyse] settings.scorer.A = 1: Input should be a valid string"),
        (
            "[nyse.settings.scorer]\nSCORER_IMAGE = 'x:1'",
            "settings.scorer.SCORER_IMAGE is an image; expected images = {scorer = 'x:1'}",
        ),
        ("[nyse.settings.scorer]\nRANKALPHA_DATE = 'x'", "RANKALPHA_DATE is given by Airflow; leave it out"),
        ("[nyse]\nsentiment_weight = -1", "[nyse] sentiment_weight = -1: Input should be greater than or"),
        ("[[nyse.promotions]]\nby = 'x'", "[nyse] promotions.0.at = {'by': 'x'}: Field required"),
        ("[nyse.images]\nscorer = 1", "[nyse] images.scorer = 1: Input should be a valid string"),
        (
            "[nyse.images]\nscoring = 'x'",
            "images.scoring = 'x': unknown stage; expected ingestion, scorer, ",
        ),
        ("['New York']", "[New York] is not a name of a market; expected lower-case letters"),
        ("[1st]", "[1st] is not a name of a market; expected lower-case letters"),
        ("[a__b]", "[a__b] is not a name of a market; expected lower-case letters"),
        (f"[{'a' * 41}]", "40 characters at most"),
        (f"[{'a' * 500}]", "… (500 characters)] is not a name of a market"),
        ('["a\\u0007"]', "['a\\x07'] is not a name of a market"),
        ("[prices]", "[prices] is already a tag of DAGs or a folder of data; rename the market"),
        ("[scoring]", "[scoring] is already a tag of DAGs"),
        (
            "schedule = '0 6 * * *'",
            "schedule = '0 6 * * *' is outside of a table; expected a table first",
        ),
    ],
)
def test_a_mistake_is_told_with_file_table_key_value_and_cure(file, text, told):
    path = file(text)
    with pytest.raises(SettingsError) as error:
        read(path)
    assert str(error.value).startswith(f"fix {path}:\n  ")
    assert told in str(error.value)


def test_all_mistakes_are_told_at_once(file):
    with pytest.raises(SettingsError) as error:
        read(file("[nyse]\nslots = 0\n[lse]\ncolour = 'red'\n"))
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize("text", ["[nyse]\n[nyse]\n", "[nyse\n", "\x00"])
def test_what_is_no_toml_is_told_with_its_line(file, text):
    with pytest.raises(SettingsError, match=r"markets.toml' cannot be read: .* line"):
        read(file(text))


def test_the_names_of_the_default_market_are_as_ever():
    one = Market()
    assert (one.dag_id("scoring"), one.volume("prices_data"), one.folder) == (
        "rankalpha_scoring",
        "prices_data",
        "",
    )
    assert (one.pool, one.tags, one.when, one.named("b")) == ("stages", (), "06:00 UTC", "b")
    assert one.documented("# A\n\nb\n") == "# A\n\nb\n"


def test_another_market_has_names_of_its_own():
    one = Market(name="nyse", schedule="30 21 * * 1-5", slots=2)
    assert (one.dag_id("scoring"), one.volume("prices_data")) == (
        "rankalpha_nyse_scoring",
        "prices_data_nyse",
    )
    assert (one.pool, one.tags, one.when) == ("stages_nyse", ("nyse",), "cron 30 21 * * 1-5 UTC")
    assert (one.folder, one.named("b")) == ("nyse", "b of nyse")
    assert one.documented("\n# A\n\nb\n").startswith("# A\n\n**Market `nyse`**, cron 30 21 * * 1-5 UTC.")


def test_a_dataset_of_another_market_keeps_its_contract():
    from datasets import PRICES

    own = Market(name="nyse").dataset(PRICES)
    assert (own.name, own.uri, own.group) == ("nyse_prices", "rankalpha://nyse/prices", "rankalpha")
    assert own.extra is PRICES.extra
    assert Market(name="nyse").dataset(PRICES) is own
    assert Market().dataset(PRICES) is PRICES


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "now", "due"),
    [
        ("0 6 * * *", "2026-11-22T06:00:01", "2026-11-22T06:00:00"),
        ("0 6 * * *", "2026-11-22T05:59:59", "2026-11-21T06:00:00"),
        ("30 21 * * 1-5", "2026-11-23T12:00:00", "2026-11-20T21:30:00"),  # on Monday that is Friday's
    ],
)
def test_when_the_newest_batch_was_due(schedule, now, due):
    assert Market(schedule=schedule).due(moment(now)) == moment(due)


@pytest.mark.parametrize(
    ("schedule", "first"),
    [("0 6 * * *", "2026-11-22T06:00:00"), ("0 0 * * *", "2026-11-22T00:00:00"), ("0 6 * * 1-5", None)],
)
def test_the_first_batch_of_a_day(schedule, first):
    found = Market(schedule=schedule).first_of(moment("2026-11-22T00:00:00"))  # a Sunday
    assert found == (moment(first) if first else None)
