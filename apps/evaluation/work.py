"""The work of the evaluation stage: grades and their prices in, evaluation.json and the record out."""

import logging

import polars as pl

from apps.common.batches import Keep, prune_followers, sweep
from apps.common.exchange import UnknownDay
from apps.common.files import checksum, write_atomic
from apps.common.parquet import write_parquet
from apps.common.run import Result
from apps.common.stage import Batch
from apps.common.versions import Version
from apps.evaluation import backtest
from apps.evaluation.details import details
from apps.evaluation.form import Evaluation
from apps.evaluation.prices import read_prices, universe_of
from apps.evaluation.record import FIGURES, FILE, LIMITS, Record, prices_of, record_of
from apps.evaluation.report import part_of
from apps.evaluation.returns import HORIZONS
from apps.evaluation.sessions import Sessions
from apps.evaluation.settings import Settings
from apps.scorer.settings import Settings as ScorerSettings

VOLUME, EVALUATION = "evaluations", "evaluation.json"
NAMED = 8  # symbols in a warning

log = logging.getLogger("evaluation")


def evaluate(batch: Batch) -> Result:
    """Write evaluation.json and record.parquet for the published grades of a batch.

    Both are made from published versions alone. Raises BadConfig, or BadData when grades or prices cannot be
    read.
    """
    settings, scorer = Settings.from_env(), ScorerSettings.from_env()
    record = record_of(batch)
    version, calendar = prices_of(batch), batch.calendar
    prices = read_prices(version.file("prices.parquet"))
    try:
        sessions = Sessions.of(prices["date"], calendar)
    except UnknownDay as error:
        log.warning("warning: days with prices count as sessions: %s", error)
        sessions, calendar = Sessions.of(prices["date"], ""), ""
    closes = _closes(prices, record, sessions)
    del prices  # text of each row takes most of the memory
    universe = universe_of(version, closes, scorer)
    past = backtest.scored(closes, sessions, settings.every, scorer, calendar, universe)
    evaluation = Evaluation(
        batch=batch.key,
        as_of=record.newest["session"][0],
        symbols=record.newest.height,
        horizons=list(HORIZONS),
        live=part_of("live", _live(record, closes, sessions), closes, sessions, FIGURES, limits=LIMITS),
        backtest=part_of(
            "backtest", past, closes, sessions, backtest.FIGURES, settings.every, backtest.limits(universe)
        ),
    )
    return _written(batch, record, evaluation, {"prices": version} if version.sha256 else {})


def _closes(prices: pl.DataFrame, record: Record, sessions: Sessions) -> pl.DataFrame:
    """Return symbol, date, close and s of the sessions; the type of symbols has their order as text."""
    both = pl.concat([prices["symbol"].unique(), record.rows["symbol"].unique()])
    closes = sessions.numbered(prices.with_columns(pl.col("symbol").cast(pl.Enum(both.unique().sort()))))
    if beside := prices.height - closes.height:
        log.warning("warning: prices of days that are not sessions are left out: %d", beside)
    return closes.sort("symbol", maintain_order=True)  # what is known to be sorted is grouped much sooner


def _live(record: Record, closes: pl.DataFrame, sessions: Sessions) -> pl.DataFrame:
    """Return the record's rows of sessions of the prices, which alone can have returns."""
    kept = sessions.numbered(record.rows, "session")
    if gone := sorted(set(kept["symbol"].unique()) - set(closes["symbol"].unique().cast(pl.String))):
        more = f" and {len(gone) - NAMED} more" if len(gone) > NAMED else ""
        log.warning(
            "warning: no prices of %s%s any more: returns are not known", ", ".join(gone[:NAMED]), more
        )
    if lost := record.rows["session"].n_unique() - kept["s"].n_unique():
        log.warning("warning: days of grades that are not sessions of the prices are left out: %d", lost)
    return kept.with_columns(pl.col("symbol").cast(closes.schema["symbol"]))


def _written(batch: Batch, record: Record, evaluation: Evaluation, read: dict[str, Version]) -> Result:
    folder = batch.target(VOLUME)
    output = folder / EVALUATION
    text = evaluation.model_dump_json(indent=1) + "\n"
    write_atomic(output, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    write_parquet(folder / FILE, record.rows)
    volume = batch.data_dir / VOLUME
    if keep := Keep.from_env():
        sweep(volume, keep)
    log.info(
        "live: gradings on record: %d; backtest: %d", evaluation.live.gradings, evaluation.backtest.gradings
    )
    return Result(
        rows=record.rows.height,
        symbols=evaluation.symbols,
        as_of=evaluation.as_of,
        checksum=checksum(output),
        outputs=[batch.shown(output), batch.shown(folder / FILE)],
        details={
            **details(evaluation),
            "unread": record.unread,
            # the next one may have to go on from the same, if this one is not published
            "pruned": len(prune_followers(volume, [each.batch for each in record.continued], keep)),
        },
        read=read,
        earlier=record.continued,
    )
