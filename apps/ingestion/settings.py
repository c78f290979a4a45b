"""Settings of the ingestion stage: the only reader of its environment variables."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode, SettingsConfigDict

from apps.common.settings import PatientEnvironment

# As Yahoo spells them: BRK-B, ^GSPC, M&M.NS, 0700.HK, EURUSD=X, NIFTY_FIN_SERVICE.NS
SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=&_@$+!~-]{0,39}")


def _symbols(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    names = {name.strip().upper() for name in value.split(",") if name.strip()}
    for name in sorted(names):
        if not SYMBOL.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is not a symbol; expected a comma list such as AAPL,BRK-B")
    return tuple(sorted(names))


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError("expected a day such as 2016-01-31") from error


Symbols = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_symbols)]


class Settings(PatientEnvironment):
    """Each field is the environment variable INGESTION_<FIELD>, unless it names another one."""

    model_config = SettingsConfigDict(env_prefix="INGESTION_")

    source: Literal["sample", "csv", "yahoo"] = "sample"
    symbols: Symbols = Field(
        default=(), description="Empty: all of the sample or of the CSV folder; yahoo needs them."
    )
    start: Annotated[date | None, BeforeValidator(_day)] = Field(
        default=None,
        description="First day asked of yahoo for a symbol without history; None: ten years back.",
    )
    csv_dir: Path | None = Field(
        default=None,
        description="Folder with one <SYMBOL>.csv for each symbol; None: prices/csv below the data root.",
    )
    overlap: int = Field(
        default=10, ge=1, le=10_000, description="Newest known sessions that are asked for again."
    )
    jump: float = Field(
        default=1.8,
        gt=1,
        allow_inf_nan=False,
        description="A close is reported when it is so many times the one before, or as small a part of it.",
    )
    replace: Symbols = Field(
        default=(),
        description="Symbols whose history is taken as the source has it, even if it is shorter.",
    )
    budget_minutes: float = Field(
        default=20,
        gt=0,
        le=1440,
        description="Time for asking yahoo, after which the remaining symbols keep what is known.",
    )
    keep_batches: int = Field(
        default=30,
        ge=0,
        le=1_000_000,
        description="Newest batches with new prices that are kept, by all services; 0: all.",
    )
    screener_top: int = Field(
        default=8,
        ge=1,
        le=1_000_000,
        validation_alias="SCREENER_TOP",
        description="Symbols that each screen lists.",
    )
