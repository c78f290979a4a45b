"""What requests hold, and which data they are about."""

from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from apps.api.batches import DEFAULT_MARKET, READ, BatchKey, MarketName, listed
from apps.api.records import Session
from apps.api.settings import Settings
from apps.common.batches import Keep
from apps.common.manifest import Digits, Reference

Dataset = Annotated[str, Field(pattern=f"^({'|'.join(READ)})$")]
VersionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$")]


class RefreshRequest(BaseModel):
    """Body of a refresh; without a batch the newest that can be graded is."""

    batch: BatchKey | None = None
    market: MarketName | None = None  # None: the default market
    version: VersionName | None = None  # to write; None: what is shown is replaced at once
    inputs: dict[Dataset, Reference] = {}  # versions to read; for the others the batch's folder
    keep: Keep | None = None  # versions that are published; None: nothing is swept
    session: Session | None = None  # None: the market has no calendar
    # share of sentiment in the composite, of a version alone; None: that of the API's settings
    sentiment_weight: float | None = Field(default=None, ge=0, le=1)
    # earlier batches whose scores and sentiment have the same contents, by the `content` of their grades
    same_inputs: dict[Digits, BatchKey] = {}


class PublishRequest(BaseModel):
    """Body of a publication: the version of grades to show."""

    batch: BatchKey
    market: MarketName | None = None
    version: Reference


def current_settings(request: Request) -> Settings:
    """Return the settings that the app was created with."""
    settings: Settings = request.app.state.settings
    return settings


Configured = Annotated[Settings, Depends(current_settings)]
MarketQuery = Annotated[MarketName | None, Query(description="name of a market that is not the default")]
BatchQuery = Annotated[BatchKey | None, Query(description="batch key, such as 2026-11-22T06:00:00")]


def root_of(settings: Settings, market: str | None) -> Path:
    """Return the folder of a market's data; refuse a market that is not listed, such as a removed one."""
    if not market or market == DEFAULT_MARKET:
        return settings.data_dir
    known = listed(settings.markets) if settings.markets else None
    if known is not None and market not in known:
        raise HTTPException(422, f"there is no market {market!r}; there are {', '.join(sorted(known))}")
    return settings.data_dir / market


def check_inputs(inputs: dict[str, Reference]) -> None:
    """Refuse a version of another dataset's volume; one that is used again is in an older batch's folder."""
    for dataset, reference in inputs.items():
        check_place(f"inputs.{dataset}", reference, f"{READ[dataset][0]}/")


def check_place(name: str, reference: Reference, folder: str) -> None:
    """Refuse a version that is not in a folder."""
    if not reference.path.startswith(folder):
        raise HTTPException(422, f"{name}.path: expected a version below {folder}")
