"""Why a symbol has no prices from Yahoo, and what to do about it."""

from apps.common.transient import Unavailable
from apps.ingestion.sources import Missing, Reason

LONGEST = 200  # characters of the library's message


def why_missing(symbol: str, error: Exception) -> Missing:
    """Return the reason and the message for a symbol whose request failed."""
    from apps.ingestion.sources.yahoo_session import Refused  # noqa: PLC0415

    if isinstance(error, Refused):
        if error.us:
            text = f"Yahoo refuses to serve this address ({error})"
            return Missing(Reason.REFUSED, f"{text}; check the proxy, or choose another INGESTION_SOURCE")
        text = f"Yahoo does not have {symbol} ({error}); has it been renamed or delisted?"
        return Missing(Reason.UNKNOWN, f"{text} Correct INGESTION_SYMBOLS")
    if isinstance(error, Unavailable) or type(error).__name__ == "YFRateLimitError":
        return Missing(Reason.UNAVAILABLE, f"Yahoo did not answer for {symbol}: {error}"[:LONGEST])
    if type(error).__name__ in ("YFPricesMissingError", "YFTzMissingError"):
        text = f"Yahoo has no prices of {symbol} ({' '.join(str(error).split())[:LONGEST]})"
        return Missing(Reason.EMPTY, f"{text}; correct INGESTION_SYMBOLS")
    fault = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
    return Missing(Reason.FAULTY, f"Yahoo's answer for {symbol} cannot be used ({fault}); try again later")
