"""The dataset `comparisons`, of a variant alone: it is not loaded where none is declared."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import advance, reported

COUNT = {"type": "integer", "minimum": 0}
FIGURE = {"type": ["number", "null"]}  # null: not known, as with fewer than two symbols
HORIZONS = (1, 5, 21)  # sessions
PAIRED = ("champion_spread", "challenger_spread", "difference", "difference_low", "difference_high")

COMPARISONS_CONTRACT = Contract(
    owner="rankalpha",
    description="How the grades of a variant differ from those of its champion, of the same batch",
    freshness=timedelta(hours=26),
    details={
        "changed": COUNT,  # symbols with another letter
        "changed_symbols": {"type": "string"},  # the first of them, by the champion's rank
        "champion_only": COUNT,  # symbols that the other does not grade
        "challenger_only": COUNT,
        "rank_correlation": FIGURE,  # Spearman's, of the symbols that both grade
        "top": COUNT,  # the champion's symbols with an A
        "top_overlap": COUNT,  # how many of them are among as many of the challenger's first
        **{f"{who}_{letter}": COUNT for who in ("champion", "challenger") for letter in "ABCDF"},
        # what A minus F of both was worth in all batches until this one, and the band of the difference
        **{f"sessions_{horizon}": COUNT for horizon in HORIZONS},  # whose returns are in
        **{f"{name}_{horizon}": FIGURE for name in PAIRED for horizon in HORIZONS},
    },
    checks=(
        Check(name="rows", figure=reported("rows"), least=1),
        Check(name="as_of since the batch before", figure=advance(), least=0, unit="days"),
        Check(
            name="symbols of the champion alone", figure=reported("champion_only"), most=0, severity="warn"
        ),
    ),
)

COMPARISONS = Asset(
    name="comparisons",
    uri="rankalpha://comparisons",
    group="rankalpha",
    extra=COMPARISONS_CONTRACT.describe(),
)
