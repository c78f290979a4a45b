"""One batch: choose the symbols, carry or analyse each, write sentiment.json and last_run.json."""

from dataclasses import dataclass, replace

from apps.common.batches import prune_followers
from apps.common.files import checksum
from apps.common.stage import Batch, Result
from apps.sentiment.consensus import Candidate, consensus, universe
from apps.sentiment.headlines import HeadlineSource, headline_source
from apps.sentiment.history import History, report_path
from apps.sentiment.models import SentimentModel, sentiment_model
from apps.sentiment.reports import APPEARANCES, REPORT, Appearances, Entry, Report, read_json, write_json
from apps.sentiment.settings import Settings


@dataclass(frozen=True)
class Analysis:
    """What a batch needs to rate a symbol that is not carried."""

    batch: Batch
    source: HeadlineSource
    model: SentimentModel

    def entry(self, candidate: Candidate) -> Entry:
        """Rate a candidate's headlines, rounded to four decimals; without headlines the sentiment is None."""
        headlines = self.source.headlines(candidate.symbol)
        rating = self.model.rate(candidate.symbol, headlines) if headlines else None
        return Entry(
            symbol=candidate.symbol,
            sentiment=None if rating is None else round(rating, 4),
            headlines=len(headlines),
            model=self.model.name,
            analysed=self.batch.day,
            appearances=candidate.appearances,
            styles=candidate.styles,
            reused=False,
        )


def analyse_batch(batch: Batch, settings: Settings) -> Result:
    """Analyse a batch and write its outcome; nothing is written unless every symbol has succeeded.

    Raises BadData for missing or corrupt input, BadConfig for a setting that the outside refuses, and
    StageError when headlines or ratings are unavailable. No symbol in consensus is an outcome, not an
    error: rows is 0.
    """
    batch = replace(batch, data_dir=settings.data_dir)
    path = batch.folder("prices") / "appearances.json"
    screened = read_json(path, APPEARANCES, "run the ingestion stage for this batch")
    analysis = Analysis(batch, headline_source(settings), sentiment_model(settings.chat))
    history = History.read(batch, settings.skip_if_within_days)
    report = Report(
        as_of=screened.as_of,
        symbols=[history.carried(each) or analysis.entry(each) for each in chosen(batch, settings, screened)],
    )
    write_json(report_path(batch), REPORT, report)
    history.record(report.symbols)
    pruned = prune_followers(report_path(batch).parent.parent, keep=history.in_use())
    return result(batch, report, analysis.model.name, len(pruned))


def chosen(batch: Batch, settings: Settings, screened: Appearances) -> list[Candidate]:
    """Return the batch's candidates: the screeners' consensus, or every symbol that has prices."""
    if settings.use_consensus:
        return consensus(screened.appearances, settings.min_appearances, settings.min_styles, settings.limit)
    return universe(batch.folder("prices") / "prices.parquet", screened.appearances)


def result(batch: Batch, report: Report, model: str, pruned: int) -> Result:
    """Sum the written report up for the orchestrator; `pruned` older reports were removed."""
    reused = sum(each.reused for each in report.symbols)
    ratings = [each.sentiment for each in report.symbols if each.sentiment is not None]
    output = report_path(batch)
    return Result(
        rows=len(report.symbols),
        symbols=len(report.symbols),
        as_of=report.as_of,
        checksum=checksum(output),
        outputs=[str(output.relative_to(batch.data_dir)), "analysis_schedule/last_run.json"],
        details={
            "analysed": len(report.symbols) - reused,
            "reused": reused,
            "without_headlines": sum(not each.headlines for each in report.symbols),
            "min_sentiment": min(ratings, default=None),
            "max_sentiment": max(ratings, default=None),
            "model": model,
            "pruned": pruned,
        },
    )
