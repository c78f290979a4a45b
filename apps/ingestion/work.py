"""The work of the ingestion stage, from the earlier batch's prices to this batch's."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from apps.common.files import checksum, write_atomic
from apps.common.run import Result
from apps.common.stage import Batch
from apps.common.versions import Version
from apps.ingestion import changes, memo, snapshots, universe
from apps.ingestion.changes import counts, log_changes, write_changes
from apps.ingestion.prices import Rules, Update, update
from apps.ingestion.screens import appearances
from apps.ingestion.settings import Settings
from apps.ingestion.sources import Source
from apps.ingestion.sources.csv_files import CsvSource
from apps.ingestion.sources.sample import SampleSource
from apps.ingestion.sources.yahoo import YahooSource
from apps.ingestion.trading import Trading

log = logging.getLogger("ingestion")

TEN_YEARS = timedelta(days=3653)


def ingest(batch: Batch) -> Result:
    """Write the batch's prices.parquet and appearances.json, and prune old batches.

    Repeating a batch starts from the same earlier batch and never reads its own files. Prices after the last
    session that had closed at the batch's moment are left out, without an exchange those after its day, so
    that a past batch can be ingested later and no batch takes half a day's prices.

    Raises BadConfig, BadData or Unavailable.
    """
    settings = Settings.from_env()
    trading = Trading.of(batch)
    source = open_source(settings, batch, trading)
    state = memo.state_of(source, settings, trading.session, universe.file_of(batch, source))
    before = snapshots.before(batch)
    result = memo.taken_over(batch, state, before)
    if result:
        log.info("nothing is new since the batch before, whose files are taken over")
        if any(path.endswith(changes.FILE) for path in result.outputs):
            log.warning("warning: what it reported may still hold, see %s", changes.FILE)
    else:
        result, updated = _updated(batch, settings, source, before, trading)
        quiet_until = source.quiet_until(trading.until, updated.prices, updated.missing)
        memo.keep(batch, state, quiet_until, result)
    pruned = snapshots.prune(batch, settings.keep_batches)
    return replace(result, details=result.details | {"pruned": len(pruned)})


def _updated(
    batch: Batch, settings: Settings, source: Source, before: Sequence[Version], trading: Trading
) -> tuple[Result, Update]:
    """Write the batch's files from the earlier batch and what the source has."""
    earlier = snapshots.newest_sound(before)
    log.info(
        "%s", f"continuing {earlier.path}" if earlier.path else "no earlier snapshot: loading all history"
    )
    rules = Rules(settings.overlap, settings.jump, settings.replace)
    updated = update(source, earlier.scan(), trading.until, rules, trading.exchange)
    prices = updated.prices
    as_of, listed = appearances(prices, settings.screener_top, batch.calendar)
    folder = batch.target(snapshots.VOLUME)
    reused = snapshots.write(folder / snapshots.FILE, updated, earlier, source.notice)
    text = json.dumps({"as_of": as_of.isoformat(), "appearances": listed}, indent=1)
    write_atomic(folder / "appearances.json", lambda path: path.write_text(text + "\n"))
    listed_file, named = universe.take(batch, source, set(prices["symbol"].unique()), as_of)
    outputs = [folder / snapshots.FILE, folder / "appearances.json", *write_changes(folder, updated)]
    outputs += listed_file
    log.info("%d rows, %d of them new or revised", prices.height, updated.new_rows)
    log_changes(updated)
    if source.notice:
        log.info("%s", source.notice)
    result = Result(
        rows=prices.height,
        symbols=prices["symbol"].n_unique(),
        as_of=as_of,
        checksum=checksum(outputs[0]),
        outputs=[batch.shown(path) for path in outputs],
        details={
            "source": source.notice or source.name,
            "new_rows": updated.new_rows,
            **counts(updated),
            **trading.figures(prices),
            "replayed": source.replayed,
            **({} if source.left is None else {"sample_left": source.left}),
            "reused": reused,
            "appearances": len(listed),
            **named,
        },
        earlier=(earlier.version,) if earlier.version else (),
    )
    return result, updated


def open_source(settings: Settings, batch: Batch, trading: Trading) -> Source:
    """Return the source that the settings choose, for a batch and its days."""
    volume = batch.data_dir / snapshots.VOLUME
    if settings.source == "csv":
        return CsvSource(settings.csv_dir or volume / "csv", settings.symbols)
    if settings.source == "yahoo":
        start = settings.start or batch.day - TEN_YEARS
        cache = volume / ".yahoo" if volume.is_dir() else None
        budget = timedelta(minutes=settings.budget_minutes)
        end = trading.session + timedelta(days=1) if trading.session else batch.day
        patience, session = settings.patience, trading.session
        return YahooSource(settings.symbols, start, end, patience, cache, budget, session)
    return SampleSource(settings.symbols, batch.moment, trading.exchange)
