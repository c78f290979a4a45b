"""The work of the trainer stage: prices.parquet in, model.skops and card.json out."""

import logging
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from skops.io import dump

from apps.common.batches import Keep, sweep
from apps.common.exchange import UnknownDay
from apps.common.files import checksum, digest, write_atomic
from apps.common.run import Result
from apps.common.stage import BadData, Batch
from apps.common.universe import UNIVERSE
from apps.common.versions import Version, input_of
from apps.evaluation.backtest import past_signals
from apps.evaluation.prices import read_prices, universe_of
from apps.evaluation.sessions import Sessions
from apps.scorer.features import FEATURES
from apps.scorer.model import FILE, Model, untrusted
from apps.scorer.settings import Settings as ScorerSettings
from apps.trainer.card import CARD, Card, ChampionCard, FoldCard, libraries
from apps.trainer.rival import rival_of
from apps.trainer.samples import TARGET, Signals, looks_ahead, samples
from apps.trainer.settings import Settings
from apps.trainer.walk import LEAST_SESSIONS, Walk, fitted, walked

VOLUME, PRICES = "models", "prices.parquet"

log = logging.getLogger("trainer")


def train(batch: Batch) -> Result:
    """Write model.skops, fitted to all that is known, and card.json, which judges models fitted to less.

    Both are made from the published prices of the batch. Raises BadConfig, or BadData when these cannot be
    read or are of too few sessions.
    """
    settings = Settings.from_env()
    version = input_of(batch, "prices", "prices")
    prices = read_prices(version.file(PRICES))
    try:
        sessions = Sessions.of(prices["date"], batch.calendar)
    except UnknownDay as error:
        log.warning("warning: days with prices count as sessions: %s", error)
        sessions = Sessions.of(prices["date"], "")
    kind = pl.Enum(prices["symbol"].unique().sort())
    closes = sessions.numbered(prices.with_columns(pl.col("symbol").cast(kind)))
    signals = _signals(batch, version, closes, sessions, settings.horizon)
    table = samples(closes, signals, settings.horizon)
    rival = rival_of(batch, sessions)
    walk = walked(table, settings.horizon, settings.seed, rival) if not table.is_empty() else None
    if walk is None:
        raise BadData(
            f"{version.folder / PRICES}: fewer than {LEAST_SESSIONS} sessions, {settings.horizon} apart, "
            "have signals and a return after them; let the ingestion stage load more history"
        )
    model = Model(fitted(table))
    card = _card(batch, settings, version, sessions, table, walk, model)
    if rival and (found := walk.against):
        card.champion = ChampionCard(
            version=rival.path, sessions=found.sessions, ic=found.ic, lead=found.lead
        )
    return _written(batch, card, model, table, looks_ahead(table, closes, signals))


def _signals(
    batch: Batch, prices: Version, closes: pl.DataFrame, sessions: Sessions, horizon: int
) -> Signals:
    """Return what gives the raw signals of past sessions, of those whom the scorer would have scored then."""
    scorer = ScorerSettings.from_env()
    universe = universe_of(prices, closes, scorer)

    def signals(closes: pl.DataFrame, first: int) -> Iterator[tuple[int, pl.DataFrame]]:
        return past_signals(closes, sessions.last, horizon, scorer, batch.calendar, universe, first)

    return signals


def _card(
    batch: Batch,
    settings: Settings,
    prices: Version,
    sessions: Sessions,
    table: pl.DataFrame,
    walk: Walk,
    model: Model,
) -> Card:
    files = [path for name in (PRICES, UNIVERSE) if (path := prices.file_if_any(name))]
    return Card(
        batch=batch.key,
        as_of=sessions.days[-1],
        model=str(model.regressor),
        features=list(FEATURES),
        weights=model.weights,
        horizon=settings.horizon,
        seed=settings.seed,
        libraries=libraries(),
        data={batch.shown(path): digest(path) for path in files},
        rows=table.drop_nulls(TARGET).height,
        symbols=table["symbol"].n_unique(),
        ic=walk.ic,
        t=walk.t,
        formula_ic=walk.formula_ic,
        shuffled_ic=walk.shuffled_ic,
        shuffled_z=walk.shuffled_z,
        folds=[
            FoldCard(
                first=sessions.days[fold.first],
                last=sessions.days[fold.last],
                sessions=fold.sessions,
                ic=fold.ic,
                formula_ic=fold.formula_ic,
            )
            for fold in walk.folds
        ],
    )


def _written(batch: Batch, card: Card, model: Model, table: pl.DataFrame, look_ahead: int) -> Result:
    folder = batch.target(VOLUME)
    output, text = folder / FILE, card.model_dump_json(indent=1) + "\n"

    def write(temporary: Path) -> None:
        dump(model.regressor, temporary)

    write_atomic(output, write)
    write_atomic(folder / CARD, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    if keep := Keep.from_env():
        sweep(batch.data_dir / VOLUME, keep)
    for fold in card.folds:
        log.info(
            "%s to %s: rank IC %.3f, by the formula %.3f", fold.first, fold.last, fold.ic, fold.formula_ic
        )
    return Result(
        rows=card.rows,
        symbols=card.symbols,
        as_of=card.as_of,
        checksum=checksum(output),
        outputs=[batch.shown(output), batch.shown(folder / CARD)],
        details={
            "horizon": card.horizon,
            "folds": len(card.folds),
            "ic": card.ic,
            "t": card.t,
            "formula_ic": card.formula_ic,
            "shuffled_ic": card.shuffled_ic,
            "shuffled_z": card.shuffled_z,
            **({"champion_ic": card.champion.ic, "lead": card.champion.lead} if card.champion else {}),
            "look_ahead": look_ahead,
            "not_finite": int((~model.predicted(table).is_finite()).sum()),
            "untrusted": len(untrusted(output)),
        },
    )
