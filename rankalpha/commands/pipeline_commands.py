"""The commands for the pipeline's batches, in every stack; some only look, such as `health`."""

import click

from rankalpha.commands.run import run_in_stack
from rankalpha.pipeline.steps import SHAPE

KEY = "2026-11-22T06:00:00"
market_option = click.option("--market", metavar="NAME", help="A market; the default one if left out.")


@click.command()
@click.option(
    "--days", type=click.FloatRange(min=0), help="Days to look back; default is RANKALPHA_WATCH_DAYS."
)
@click.option("--market", metavar="NAME", help="One market in full; with several, all are shown in short.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def health(days: float | None, market: str | None, as_json: bool) -> None:
    """Show where each batch stands, and what is wrong.

    Also how long stages take, what they use, and how fresh the datasets are. It changes nothing, and works
    while the scheduler is down; the DAG `rankalpha_watchdog` repairs and alerts.

    With RANKALPHA_AIRFLOW_URL it asks an Airflow elsewhere.

    Exit status: 0 all is well, 1 something needs a person, 2 Airflow does not answer or does not let the user
    in.
    """
    run_in_stack("health:health", days=days, market=market, as_json=as_json)


@click.command()
@click.option(
    "--format", "kind", type=click.Choice(["text", "mermaid", "json"]), help="How the graph is printed."
)
@click.option("--batch", metavar="KEY", help=f"A batch, such as {KEY}.")
@click.option("--json", "as_json", is_flag=True, help="Print the batch's lineage as JSON.")
@click.option(
    "--market", metavar="NAME", help="A market. If left out: the default one's batch, or all in the graph."
)
def lineage(kind: str | None, batch: str | None, as_json: bool, market: str | None) -> None:
    """Show the graph of datasets, or what a batch was made of.

    The graph is read from the DAG files; nothing has to run for it.
    """
    if batch is not None and kind:
        raise click.UsageError(
            "--format is for the graph; a batch is printed as text or, with --json, as JSON"
        )
    if as_json and batch is None:
        raise click.UsageError("--json is for a batch, see --batch; the graph has --format json")
    if batch is not None:
        run_in_stack("lineage:show_batch", key=batch, market=market, json_wanted=as_json)
    run_in_stack("lineage:show_graph", must_run=False, kind=kind or "text", market=market)


@click.command()
@click.option("--batch", metavar="KEY", help=f"A batch, such as {KEY}.")
@click.option(
    "--day", metavar="DAY", help=f"The newest batch of a day, such as {KEY[:10]}; without one, a new one."
)
@click.option("--from", "step", type=click.Choice([step.name for step in SHAPE]), default=SHAPE[0].name,
              show_default=True, help="The stage to begin with.")  # fmt: skip
@click.option("--no-downstream", is_flag=True, help="Run this stage alone and publish nothing.")
@market_option
def rerun(batch: str | None, day: str | None, step: str, no_downstream: bool, market: str | None) -> None:
    """Re-run a batch or fill a missed day, and follow it.

    Exit status: 0 done, 1 failed, 2 refused and nothing triggered, 3 the batch waits for a DAG that an
    operator has paused.
    """
    if (batch is None) == (day is None):
        raise click.UsageError("give either --batch or --day")
    run_in_stack(
        "rerun:rerun_batch", key=batch, day=day, start=step, downstream=not no_downstream, market=market
    )


@click.command(name="publish-anyway")
@click.option("--batch", metavar="KEY", required=True, help=f"The blocked batch, such as {KEY}.")
@click.option(
    "--dataset", metavar="NAME", required=True, help=f"One of {', '.join(step.writes for step in SHAPE)}."
)
@click.option(
    "--reason", metavar="TEXT", required=True, help="Why it is right all the same; it stays on record."
)
@market_option
def publish_anyway(batch: str, dataset: str, reason: str, market: str | None) -> None:
    """Publish once, on record, a batch that was blocked.

    The event holds your name, your reason and what the checks found. The stages after it start by themselves.

    Exit status: 0 published, 1 failed, 2 refused and nothing changed, 3 it waits for a DAG that was paused
    meanwhile.
    """
    run_in_stack("publish_anyway:publish_batch", key=batch, dataset=dataset, reason=reason, market=market)


@click.command(name="publish-version")
@click.option("--batch", metavar="KEY", required=True, help=f"The batch, such as {KEY}.")
@click.option(
    "--dataset", metavar="NAME", required=True, help=f"One of {', '.join(step.writes for step in SHAPE)}."
)
@click.option(
    "--version", "path", metavar="PATH", required=True, help="Its path, as `lineage --batch` shows it."
)
@click.option("--reason", metavar="TEXT", required=True, help="Why; it stays on record.")
@market_option
def publish_version(batch: str, dataset: str, path: str, reason: str, market: str | None) -> None:
    """Publish an earlier version of a batch again.

    It stays on record. The version is compared with the disk first. The stages after it start by themselves;
    nothing is removed.

    Exit status: 0 published, 2 refused and nothing changed.
    """
    run_in_stack(
        "publish_version:publish_version", key=batch, dataset=dataset, path=path, reason=reason, market=market
    )


@click.command()
@click.option("--batch", metavar="KEY", help=f"A batch, such as {KEY}; the newest one if left out.")
@market_option
def verify(batch: str | None, market: str | None) -> None:
    """Compare published data with the disk.

    RankAlpha's API reads every byte again of what a batch has published, and of what that was made from.
    Nothing is changed.

    Exit status: 0 all is as it was published, 1 something is not, 2 it cannot be compared.
    """
    run_in_stack("verify:verify", key=batch, market=market)


@click.command(name="rebuild-history")
@market_option
def rebuild_history(market: str | None) -> None:
    """Write the record of grades again.

    RankAlpha's API adds each batch whose grades are on the disk and not in the record. Damaged files of the
    record are moved aside first. Nothing else is changed, and it is safe to repeat.

    Exit status: 0 done, 1 some grades cannot be read, 2 refused and nothing changed.
    """
    run_in_stack("rebuild_history:rebuild_history", market=market)


@click.command()
@click.option("--year", type=int, help="A year such as 2026; the present one if left out.")
@click.option("--market", metavar="NAME", help="A market; all that have a calendar if left out.")
@click.option("--check", is_flag=True, help="Only check that no batch is due while the exchange is open.")
@click.option("--plan", is_flag=True, help="Print what apps/ingestion/year.py reads.")
def calendar(year: int | None, market: str | None, check: bool, plan: bool) -> None:
    """Show a year of a market's exchange.

    Its sessions, holidays and half days, and the batches with nothing new. The exchange is `calendar` in
    datasets/markets.toml. Nothing has to run for it.

    Exit status: 0 done, 1 with --check a batch is due while the exchange is open, 2 refused.
    """
    run_in_stack("calendar:calendar", must_run=False, year=year, market=market, check=check, plan=plan)


@click.command()
@click.option(
    "--stay", is_flag=True, help="Sleep instead of ending once the batch has ended, as its container does."
)
def startup(stay: bool) -> None:
    """Start the day's batch once Airflow is ready.

    This is the start-up trigger of every stack. It waits for Airflow, follows the ingestion run that is
    already there or triggers one, and ends when its batch is graded; with several markets, those of each.

    Exit status: 0 graded, 1 not graded, 2 Airflow is not ready, 3 it waits for a DAG that an operator has
    paused.
    """
    run_in_stack("startup:startup", stay=stay)


@click.command()
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Days to fill.")
@market_option
def demo(days: int, market: str | None) -> None:
    """Fill the days before today with batches of the sample.

    Each day without a graded batch gets its batch by schedule, oldest first, by an ordinary run of ingestion.
    It can be stopped and repeated: only what is missing is made.

    Exit status: 0 all are graded, 1 one failed, 2 refused and nothing triggered, 3 a batch waits for a DAG
    that an operator has paused, 130 stopped.
    """
    run_in_stack("demo:demo", days=days, market=market)


COMMANDS = (
    health,
    lineage,
    rerun,
    demo,
    publish_anyway,
    publish_version,
    verify,
    rebuild_history,
    calendar,
    startup,
)
