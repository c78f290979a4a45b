"""The route about markets."""

from fastapi import APIRouter
from pydantic import BaseModel

from apps.api.batches import DEFAULT_MARKET, listed
from apps.api.requests import Configured

router = APIRouter(prefix="/api/v1/grading")


class MarketsAnswer(BaseModel):
    """The markets that have grades of their own."""

    markets: list[str]  # the default one first; only that one when the API was given no list


@router.get("/markets")
def list_markets(settings: Configured) -> MarketsAnswer:
    """Return the markets that can be asked for."""
    known = listed(settings.markets) if settings.markets else None
    return MarketsAnswer(markets=[DEFAULT_MARKET, *sorted((known or set()) - {DEFAULT_MARKET})])
