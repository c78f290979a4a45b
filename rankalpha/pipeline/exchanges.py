"""The codes of exchanges that a market may name: those of exchange_calendars, with their aliases.

The library is heavy and belongs to the services, so that Airflow has its names alone; a test compares them.
"""

from difflib import get_close_matches

CODES = tuple(
    """
    24/5 24/7 AIXK ARCX ASEX ASX BATS BMF BSE BVB BVMF CBOT CFE CME CMES COMEX FWB HKEX ICE ICEUS IEPA
    JKT JPX LSE LUXSE NASDAQ NYFE NYMEX NYSE OOTC OSE SIX SSE TASE TSX XAMS XASE XASX XBDA XBEL XBKK
    XBOG XBOM XBRA XBRU XBSE XBUD XBUE XCBF XCSE XCYS XDUB XDUS XEEE XETR XEUR XFRA XHAM XHEL XHKG XICE
    XIDX XIST XJSE XKAR XKLS XKRX XLIM XLIS XLIT XLJU XLON XLUX XMAD XMEX XMIL XMOS XNAS XNYS XNZE XOSL
    XPAR XPHS XPRA XRIS XSAU XSES XSGO XSHG XSTO XSTU XSWX XTAE XTAI XTAL XTKS XTSE XTSX XWAR XWBO XZAG
    us_futures
    """.split()  # noqa: SIM905  as a list, they would be a hundred lines
)


def calendar_problem(code: str) -> str:
    """Say why a code names no exchange, with the nearest ones; an empty text when it does, or is empty."""
    if not code or code in CODES:
        return ""
    cases = {each.upper(): each for each in CODES}
    nearest = " or ".join(cases[each] for each in get_close_matches(code.upper(), cases, n=3, cutoff=0.5))
    expected = f"{nearest}, or another" if nearest else "a"
    return f'is not an exchange; expected {expected} code of exchange_calendars such as XNYS, or "" for none'
