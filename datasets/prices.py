"""The dataset `prices`."""

from datetime import timedelta

from airflow.sdk import Asset

from rankalpha.contract import Check, Contract
from rankalpha.contract.figures import advance, age, change, ratio, reported, sessions_behind, share
from rankalpha.settings import settings

COUNT = {"type": "integer", "minimum": 0}
SOME = {"type": ["integer", "null"], "minimum": 0}
LEFT, YEAR = reported("sample_left"), 252  # sessions
MISSING = share("behind", "left_out", of=("symbols", "left_out"), but=1)  # one symbol never ends a batch
LAGGING = share("symbols_lagging", of=("symbols",), but=1)

PRICES_CONTRACT = Contract(
    owner="rankalpha",
    description="Daily closing prices of each ranked stock and the screeners' appearances",
    freshness=timedelta(hours=26),
    details={
        "source": {"type": "string"},
        "new_rows": COUNT,
        "revised": COUNT,  # known days that were corrected or came late
        "rescaled": COUNT,  # histories that a dividend or split has rescaled
        "jumps": COUNT,  # closes that jump like an unadjusted split or a slipped decimal point
        "behind": COUNT,  # symbols that keep what was known because nothing came
        "left_out": COUNT,  # symbols without any prices
        # of the market's exchange, null without one
        "session": {"type": ["string", "null"], "format": "date"},  # the last that had closed at the batch
        "sessions_behind": SOME,  # that the prices lack
        "symbols_behind": SOME,  # symbols that lack the last session
        "symbols_lagging": SOME,  # symbols that lack the last day of the others
        "missing_sessions": SOME,  # holes in the part of the histories that scores look at
        "next_close": {"type": ["string", "null"], "format": "date-time"},  # then there is a newer session
        "later_closes": {"type": ["string", "null"]},  # of the sessions after that, separated by spaces
        "calendar_days": SOME,  # for which its sessions are known
        "replayed": {"type": "boolean"},  # prices of another time than their dates: the sample's
        "sample_left": COUNT,  # sessions after which the sample ends
        "reused": {"type": "boolean"},
        "appearances": COUNT,
        "unlisted": COUNT,  # symbols without a line in universe.csv; both are only there with that file
        "unknown": COUNT,  # symbols of that file without prices
        "pruned": COUNT,
    },
    checks=(
        Check(name="rows", figure=reported("rows"), least=1),
        Check(name="symbols", figure=reported("symbols"), least=1),
        # Old data are blocked here, where they enter: all other datasets are made from these prices.
        # Data that are replayed on purpose report it, so that no profile needs a looser contract.
        Check(
            name="lag behind the exchange",
            figure=sessions_behind(),
            most=settings().max_sessions_behind,
            unit="sessions",
        ),
        Check(
            name="any lag behind the exchange",
            figure=sessions_behind(),
            least=0,
            most=0,
            unit="sessions",
            severity="warn",
        ),
        Check(name="age of as_of", figure=age(), least=-1, most=settings().max_age_days, unit="days"),
        Check(name="as_of since the batch before", figure=advance(), least=0, unit="days"),
        # a truncated history, or a source that has lost symbols; growth is what somebody has configured
        Check(name="change of rows", figure=change("rows"), least=-20, unit="%"),
        Check(name="change of symbols", figure=change("symbols"), least=-20, unit="%"),
        Check(name="growth of symbols", figure=change("symbols"), most=50, unit="%", severity="warn"),
        Check(name="symbols without news", figure=MISSING, most=20, unit="%"),
        Check(name="many symbols without news", figure=MISSING, most=5, unit="%", severity="warn"),
        # a source that stands still for most symbols, and a market where some are not traded each day
        Check(name="symbols behind the others", figure=LAGGING, most=50, unit="%"),
        Check(name="many symbols behind the others", figure=LAGGING, most=5, unit="%", severity="warn"),
        Check(
            name="missing sessions a symbol",
            figure=ratio("missing_sessions", of="symbols"),
            most=1,
            severity="warn",
        ),
        # some exchanges announce their holidays a year ahead; without them days are counted
        Check(
            name="days that the exchange is known ahead",
            figure=reported("calendar_days"),
            least=30,
            unit="days",
            severity="warn",
        ),
        Check(name="jumps", figure=reported("jumps"), most=0, severity="warn"),
        Check(name="sessions left of the sample", figure=LEFT, least=YEAR, severity="warn"),
        Check(name="appearances", figure=reported("appearances"), least=1, severity="warn"),
    ),
)

PRICES = Asset(name="prices", uri="rankalpha://prices", group="rankalpha", extra=PRICES_CONTRACT.describe())
