"""The commands that only look: they change nothing, in any stack."""

import click

from rankalpha.commands.options import KEY, market_option
from rankalpha.commands.run import run_in_stack


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
@click.option("--batch", metavar="KEY", help=f"A batch, such as {KEY}; the newest one if left out.")
@market_option
def verify(batch: str | None, market: str | None) -> None:
    """Compare published data with the disk.

    RankAlpha's API reads every byte again of what a batch has published, and of what that was made from.
    Nothing is changed.

    Exit status: 0 all is as it was published, 1 something is not, 2 it cannot be compared.
    """
    run_in_stack("verify:verify", key=batch, market=market)


@click.command()
@click.option("--batch", metavar="KEY", help=f"As of a batch, such as {KEY}; the newest one if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@market_option
def evaluate(batch: str | None, as_json: bool, market: str | None) -> None:
    """Show how well the grades have foretold returns.

    Published grades whose returns are in, and apart from them a backtest of today's method: the rank IC over
    1, 5, 21 and 63 sessions, A minus F, hits and turnover, for the score and each part.

    Exit status: 0 shown, 2 there is no evaluation yet.
    """
    run_in_stack("evaluate:evaluate", key=batch, market=market, as_json=as_json)


@click.command()
@click.option(
    "--variant", metavar="NAME", required=True, help="A variant, as the file of the markets has it."
)
@click.option(
    "--batches", type=click.IntRange(min=1), default=20, show_default=True, help="Newest batches to show."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@market_option
def compare(variant: str, batches: int, as_json: bool, market: str | None) -> None:
    """Compare a variant's grades with the champion's.

    For each batch that both have graded: letters that differ, the correlation of the ranks, how much of the
    top both have in common, and how many stocks have each letter. Also what A minus F of both was worth once
    returns are in, and what the containers of both have used.

    Exit status: 0 shown, 2 there is no such variant, or nothing to compare yet.
    """
    run_in_stack("compare:compare", variant=variant, batches=batches, market=market, as_json=as_json)


@click.command()
@click.option("--variant", metavar="NAME", help="A variant, as the file of the markets has it.")
@click.option(
    "--image", "images", metavar="STAGE=IMAGE", multiple=True, help="Another image of a stage; repeatable."
)
@click.option(
    "--setting",
    "stage_settings",
    metavar="STAGE=KEY=VALUE",
    multiple=True,
    help="A setting of a stage, also its SCORER_COMMAND or limits; repeatable.",
)
@click.option(
    "--sentiment-weight", "weight", type=click.FloatRange(0, 1), help="The share of sentiment in the grades."
)
@click.option(
    "--batches", type=click.IntRange(min=1), default=10, show_default=True, help="Newest batches to plan."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@market_option
def plan(
    variant: str | None,
    images: tuple[str, ...],
    stage_settings: tuple[str, ...],
    weight: float | None,
    batches: int,
    market: str | None,
    as_json: bool,
) -> None:
    """Show what another image, setting or weight would change.

    The stages that differ run once for each of the newest graded batches, on the versions that it was graded
    from. Nothing is published, shown or kept. Printed are the grades that would change, and what a contract
    would block.

    Exit status: 0 shown, 1 a stage or the grading of a batch failed, 2 refused, 3 a contract would block a
    batch, 130 stopped.
    """
    if bool(variant) == bool(images or stage_settings or weight is not None):
        raise click.UsageError("give either --variant, or some of --image, --setting and --sentiment-weight")
    run_in_stack(
        "plan:plan",
        variant=variant,
        images=_pairs("--image", "STAGE=IMAGE", images),
        stage_settings=_pairs("--setting", "STAGE=KEY=VALUE", stage_settings),
        weight=weight,
        batches=batches,
        market=market,
        as_json=as_json,
    )


def _pairs(option: str, form: str, given: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the stage and the rest of each value of an option."""
    for text in given:
        if text.count("=") < form.count("="):
            raise click.UsageError(f"{option} {text}: expected {form}")
    pairs = (text.partition("=") for text in given)
    return [(stage, rest) for stage, _, rest in pairs]


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
