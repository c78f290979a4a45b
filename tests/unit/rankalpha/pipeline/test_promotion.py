"""Promotions in the file of the markets: what changes there and what stays, and the way back."""

import tomllib
from datetime import UTC, datetime

import pytest

from rankalpha.pipeline.markets import read
from rankalpha.pipeline.markets_file import rewrite
from rankalpha.pipeline.promotion import PromotionError, changes, promoted, undone, way_of
from rankalpha.settings import SettingsError

PINNED = "rankalpha_scorer:2@sha256:" + "0a" * 32
RECORD = {"at": datetime(2026, 11, 30, 9, tzinfo=UTC), "by": "rankalpha", "reason": 'it "is" better\\'}
COMMENTED = """\
# The markets

[default]  # shown on the page
schedule = "0 6 * * *"  # UTC
images = {ingestion = "own:1", scorer = "rankalpha_scorer:1"}  # see ticket 7

# [lse]
# schedule = "0 18 * * *"

# since November
[default.variants.challenger]
images = {scorer = "rankalpha_scorer:2"}
settings = {scorer = {SCORER_SECTOR_NEUTRAL = "true"}}
sentiment_weight = 0.3

# New York, see ticket 12
[nyse]
schedule = "30 21 * * 1-5"
"""
PROMOTED = """\
# The markets

[default]  # shown on the page
schedule = "0 6 * * *"  # UTC
images = {ingestion = "own:1", scorer = "PINNED"}  # see ticket 7
settings = {scorer = {SCORER_SECTOR_NEUTRAL = "true"}}
sentiment_weight = 0.3

# [lse]
# schedule = "0 18 * * *"

# since November

# New York, see ticket 12
[nyse]
schedule = "30 21 * * 1-5"

[[default.promotions]]
variant = "challenger"
at = 2026-11-30T09:00:00Z
by = "rankalpha"
reason = "it \\"is\\" better\\\\"
before = {images = {ingestion = "own:1", scorer = "rankalpha_scorer:1"}}
""".replace("PINNED", PINNED)
OTHER = "[default.variants.other]\nsentiment_weight = 0.1\n"


def table(path):
    return tomllib.loads(path.read_text())["default"]


def promote(path, variant="challenger", images=None):
    chosen = {"scorer": PINNED} if images is None else images
    rewrite(path, "default", promoted(table(path), variant, chosen, RECORD))


def undo(path):
    rewrite(path, "default", undone(table(path), RECORD))


def test_the_file_keeps_its_comments_and_its_layout(file):
    path = file(COMMENTED)
    path.chmod(0o640)
    promote(path)
    assert path.read_text().startswith(PROMOTED)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_the_markets_are_read_as_promoted_and_back_to_what_they_were(file):
    path = file(COMMENTED)
    before, nyse = read(path)
    promote(path)
    after, _ = read(path)
    assert after.images == {"ingestion": "own:1", "scorer": PINNED}
    assert after.settings_of("scorer") == {"SCORER_SECTOR_NEUTRAL": "true"}
    assert (after.sentiment_weight, after.variants) == (0.3, {})
    undo(path)
    again, other = read(path)
    assert again.model_copy(update={"promotions": []}) == before
    assert [(one.variant, one.undoes) for one in again.promotions] == [
        ("challenger", None),
        (None, "challenger"),
    ]
    assert other == nyse


@pytest.mark.parametrize(
    "text",
    [
        '[default.variants.challenger]\nimages.scorer = "x:2"\n# the end',
        f'[default]\n[nyse]\n{OTHER}[default.variants.challenger.images]\nscorer = "x:2"',
        '[default]\n[default.images]\nscorer = "a:1"\n[default.variants.challenger]\nimages.scorer = "x:2"',
        '[default]\nvariants = {challenger = {images = {scorer = "x:2"}}, other = {sentiment_weight = 0.1}}',
        '[default]\nvariants.challenger.images.scorer = "x:2"\n\n# [lse]\n',
        '  [default.variants]\n  challenger = {images = {scorer = "x:2"}, settings = {}, slots = 2}\n',
        f'[default]\nimages = {{}}\n{OTHER}[default.variants.challenger]\nimages.scorer = "x:2"\n',
    ],
)
def test_each_form_of_the_tables_is_changed_and_changed_back(file, text):
    path = file(text)
    before = table(path)
    promote(path)
    assert table(path)["images"]["scorer"] == PINNED
    assert "challenger" not in table(path).get("variants", {})
    undo(path)
    after = table(path)
    assert after["variants"] == before["variants"]
    assert way_of(after) == way_of(before)


def test_each_undoing_goes_one_promotion_further_back(file):
    path = file(f"{COMMENTED}\n{OTHER}")
    first = table(path)
    promote(path)
    second = table(path)
    promote(path, "other", {})
    assert table(path)["sentiment_weight"] == 0.1
    undo(path)
    assert (way_of(table(path)), list(table(path)["variants"])) == (way_of(second), ["other"])
    undo(path)
    assert way_of(table(path)) == way_of(first)
    assert table(path)["variants"] == first["variants"]
    with pytest.raises(PromotionError, match="no promotion is left to undo"):
        undo(path)
    promote(path)
    undo(path)
    assert len(table(path)["promotions"]) == 6


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("sentiment_weight = 0.3\n\n#", "sentiment_weight = 0.4\n\n#", "^sentiment_weight: changed since v"),
        (
            f'{{ingestion = "own:1", scorer = "{PINNED}"}}  #',
            '{scorer = "x"}  #',
            r"images.ingestion, images.scorer: changed since variant challenger was promoted; change it back",
        ),
        ("# New", "[default.variants.challenger]\nsentiment_weight = 1\n\n#", "a variant challenger again"),
    ],
)  # fmt: skip
def test_what_was_changed_by_hand_since_is_not_undone(file, old, new, told):
    path = file(COMMENTED)
    promote(path)
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(PromotionError, match=told):
        undo(path)


@pytest.mark.parametrize("text", ['default = {variants = {challenger = {images = {scorer = "x:2"}}}}',
                                  'default.variants.challenger.images.scorer = "x:2"'])  # fmt: skip
def test_a_form_that_cannot_be_changed_is_refused(file, text):
    path = file(text)
    with pytest.raises(
        SettingsError, match=r"markets.toml has market default in a form .* such as \[default\]"
    ):
        promote(path)
    assert path.read_text() == text


def test_nothing_is_written_that_could_not_be_read(file):
    path = file(COMMENTED)
    with pytest.raises(SettingsError, match=r"^fix .*/markets.toml:\n  \[default\] images.scorer = 'No:1'"):
        promote(path, images={"scorer": "No:1"})
    assert path.read_text() == COMMENTED
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    path = tmp_path / f"{'a' * 245}.toml"  # a longer name beside it is not possible
    path.write_text(COMMENTED)
    with pytest.raises(
        SettingsError, match=r"toml cannot be written: File name too long; run this in the che"
    ):
        promote(path)


def test_a_link_to_the_file_stays_one(file, tmp_path):
    link = tmp_path / "link.toml"
    link.symlink_to(file(COMMENTED))
    promote(link)
    assert link.is_symlink()
    assert table(link)["images"]["scorer"] == PINNED


def test_the_changes_are_those_of_each_key():
    before = {"images": {"scorer": "a"}, "settings": {"scorer": {"A": "1", "B": "1"}}}
    after = {"images": {"scorer": "a"}, "settings": {"scorer": {"A": "2"}}, "sentiment_weight": 0.0}
    assert list(changes(before, after)) == [
        ("settings.scorer.A", "1", "2"),
        ("settings.scorer.B", "1", None),
        ("sentiment_weight", None, 0.0),
    ]
