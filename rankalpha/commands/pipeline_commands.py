"""The commands for the pipeline's batches, in every stack; those that change something are here."""

import click

from rankalpha.commands.options import KEY, market_option
from rankalpha.commands.report_commands import calendar, compare, evaluate, health, lineage, plan, verify
from rankalpha.commands.run import run_in_stack
from rankalpha.pipeline.steps import SHAPE


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
@click.option("--variant", metavar="NAME", help="A variant, as the file of the markets has it.")
@click.option("--undo", is_flag=True, help="Undo the newest promotion that is not undone.")
@click.option("--reason", metavar="TEXT", required=True, help="Why; it stays on record.")
@market_option
def promote(variant: str | None, undo: bool, reason: str, market: str | None) -> None:
    """Make a variant's way the champion's.

    Its images, by the digest of what made its newest versions, its settings and its weight go into the
    market's table of the file of the markets, on record. The variant's table is removed. --undo puts both
    back. Start the stack again afterwards.

    Exit status: 0 done, 2 refused and nothing changed.
    """
    if (variant is None) != undo:
        raise click.UsageError("give either --variant or --undo")
    if undo:
        run_in_stack("promote:undo", must_run=False, reason=reason, market=market)
    run_in_stack("promote:promote", variant=variant, reason=reason, market=market)


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


BATCHES = (health, lineage, rerun, demo, calendar, startup)
PUBLISHED = (publish_anyway, publish_version, verify, rebuild_history, evaluate, compare, plan, promote)
COMMANDS = (*BATCHES, *PUBLISHED)
