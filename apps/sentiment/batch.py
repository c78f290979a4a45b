"""One batch: choose the symbols, carry or analyse each, write sentiment.json."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from apps.common.batches import Keep, prune_followers, sweep
from apps.common.files import checksum
from apps.common.run import Result
from apps.common.stage import Batch
from apps.common.versions import Version, input_of
from apps.sentiment.consensus import Candidate, consensus, universe
from apps.sentiment.headlines import HeadlineSource, headline_source
from apps.sentiment.history import FILE, VOLUME, History
from apps.sentiment.kept import KeptHeadlines
from apps.sentiment.models import SentimentModel, sentiment_model
from apps.sentiment.reports import (
    APPEARANCES,
    REPORT,
    Appearances,
    Entry,
    Report,
    Title,
    read_json,
    write_json,
)
from apps.sentiment.settings import Settings
from apps.sentiment.unrated import Outcome, Unrated, for_each


@dataclass(frozen=True)
class Analysis:
    """What a batch needs to rate the symbols that are not carried."""

    batch: Batch
    source: HeadlineSource
    model: SentimentModel
    in_flight: int  # symbols at a time

    def entries(self, candidates: Sequence[Candidate]) -> list[Entry]:
        """Rate the candidates, rounded to four decimals; an entry without a rating has the reason.

        Headlines and paid ratings are kept, even when the batch ends here.
        """
        fetched = self._headlines([each.symbol for each in candidates])
        titles = {symbol: lines for symbol, lines in fetched.items() if isinstance(lines, list)}
        some = [symbol for symbol, lines in titles.items() if lines]
        rated = for_each(some, lambda symbol: self.model.rate(symbol, titles[symbol]), self.in_flight)
        outcomes = {**fetched, **rated}
        return [self._entry(each, titles.get(each.symbol, []), outcomes[each.symbol]) for each in candidates]

    def _headlines(self, symbols: Sequence[str]) -> dict[str, Outcome[list[str]]]:
        kept, fetched = KeptHeadlines(self.batch, self.source.name), dict[str, list[str]]()

        def fetch(symbol: str) -> list[str]:
            if (seen := kept.get(symbol)) is not None:
                return seen
            fetched[symbol] = self.source.headlines(symbol)
            return fetched[symbol]

        try:
            return for_each(symbols, fetch, self.in_flight)
        finally:
            kept.keep(fetched)

    def _entry(
        self, candidate: Candidate, titles: Sequence[str], outcome: Outcome[float | list[str]]
    ) -> Entry:
        if isinstance(outcome, Unrated):
            print(f"sentiment: warning: {outcome}", flush=True)
        return Entry(
            symbol=candidate.symbol,
            sentiment=round(outcome, 4) if isinstance(outcome, float) else None,
            headlines=len(titles),
            model=self.model.name,
            analysed=self.batch.day,
            appearances=candidate.appearances,
            styles=candidate.styles,
            reused=False,
            unrated=outcome.reason if isinstance(outcome, Unrated) else None,
            titles=self._titles(titles),
        )

    def _titles(self, titles: Sequence[str]) -> list[Title]:
        rated = zip(titles, self.model.each(titles) if titles else (), strict=True)
        return [Title(title=title, sentiment=rating) for title, rating in rated]


def analyse_batch(batch: Batch, settings: Settings) -> Result:
    """Analyse a batch and write its outcome; a symbol that cannot be rated is unrated, and counted.

    Raises BadData for missing or corrupt input, BadConfig for a setting that the outside refuses, and
    StageError when headlines or ratings are unavailable for most symbols; no report is written then. No
    symbol in consensus is an outcome, not an error: rows is 0.
    """
    batch = replace(batch, data_dir=settings.data_dir)
    ingested = input_of(batch, "prices", "prices")
    screened = read_json(
        ingested.file("appearances.json"), APPEARANCES, "run the ingestion stage for this batch"
    )
    source, model = headline_source(settings, batch), sentiment_model(settings, batch)
    analysis = Analysis(batch, source, model, settings.in_flight)
    history = History.read(batch, settings.skip_if_within_days)
    candidates = chosen(ingested, settings, screened)
    carried = {each.symbol: entry for each in candidates if (entry := history.carried(each))}
    analysed = analysis.entries([each for each in candidates if each.symbol not in carried])
    entries = {**carried, **{entry.symbol: entry for entry in analysed}}
    report = Report(as_of=screened.as_of, symbols=[entries[each.symbol] for each in candidates])
    write_json(batch.target(VOLUME) / FILE, REPORT, report)
    pruned = prune(batch, history)
    return replace(result(batch, report, model, pruned), earlier=history.sources(carried))


def prune(batch: Batch, history: History) -> int:
    """Remove what nobody needs any more; return how many batches are gone."""
    volume = batch.data_dir / VOLUME
    if keep := Keep.from_env():
        sweep(volume, keep)
    return len(prune_followers(volume, history.in_use(), keep))


def chosen(ingested: Version, settings: Settings, screened: Appearances) -> list[Candidate]:
    """Return the batch's candidates: the screeners' consensus, or every symbol that has prices."""
    if settings.use_consensus:
        return consensus(
            screened.appearances,
            settings.consensus_min_appearances,
            settings.consensus_min_styles,
            settings.consensus_limit,
        )
    return universe(ingested.file("prices.parquet"), screened.appearances)


def result(batch: Batch, report: Report, model: SentimentModel, pruned: int) -> Result:
    """Return the figures of the written report; `pruned` older reports were removed."""
    reused = sum(each.reused for each in report.symbols)
    ratings = [each.sentiment for each in report.symbols if each.sentiment is not None]
    output = batch.target(VOLUME) / FILE
    return Result(
        rows=len(report.symbols),
        symbols=len(report.symbols),
        as_of=report.as_of,
        checksum=checksum(output),
        outputs=[batch.shown(output)],
        details={
            "analysed": len(report.symbols) - reused,
            "reused": reused,
            "without_headlines": sum(not each.headlines for each in report.symbols),
            "min_sentiment": min(ratings, default=None),
            "max_sentiment": max(ratings, default=None),
            "model": model.name,
            "pruned": pruned,
            **unrated(report),
            **model.details(),
        },
    )


def unrated(report: Report) -> dict[str, int]:
    """Return how many symbols are unrated, in all and by reason; {} for none."""
    reasons = Counter(each.unrated for each in report.symbols if each.unrated)
    by_reason = {f"unrated_{reason}": number for reason, number in sorted(reasons.items())}
    return {"unrated": reasons.total(), **by_reason} if reasons else {}
