"""The JSON files the stage reads and writes, each with its schema."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    model_serializer,
)

from apps.common.files import write_atomic
from apps.common.stage import BadData

T = TypeVar("T")
SHORT = ("unrated", "titles")  # only written where there is something


class Appearance(BaseModel):
    """A symbol was among the results of a screener; `style` is the screener's kind, such as momentum."""

    symbol: str = Field(min_length=1)
    screener: str
    style: str


class Appearances(BaseModel):
    """appearances.json, written by the ingestion stage."""

    as_of: date
    appearances: list[Appearance]


class Title(BaseModel):
    """A headline and its own rating; None where the model rates a symbol's headlines together."""

    title: str
    sentiment: float | None = None


class Entry(BaseModel):
    """One symbol's sentiment: -1 very bad to 1 very good, None without a rating; `unrated` says why.

    Without headlines it needs no reason.
    """

    symbol: str
    sentiment: float | None = Field(ge=-1, le=1, allow_inf_nan=False)
    headlines: int = Field(ge=0)
    model: str
    analysed: date  # day of the batch that analysed it, not of the batch that carries it
    appearances: int
    styles: int
    reused: bool
    unrated: str | None = None
    titles: list[Title] = []  # that were rated, newest first; older reports do not hold them

    @model_serializer(mode="wrap")
    def _short(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in written(self).items() if key not in SHORT or value}


class Report(BaseModel):
    """sentiment.json."""

    as_of: date
    symbols: list[Entry]


class Headlines(BaseModel):
    """company_reports/<batch>/headlines.json: what the batch has seen at a source, by symbol."""

    source: str
    symbols: dict[str, list[str]]


class Ratings(BaseModel):
    """company_reports/<batch>/ratings.json: ratings by the mark of their question, and the tokens spent."""

    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    ratings: dict[str, Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]] = {}


APPEARANCES = TypeAdapter(Appearances)
REPORT = TypeAdapter(Report)
KEPT_HEADLINES = TypeAdapter(Headlines)
RATINGS = TypeAdapter(Ratings)
HEADLINES = TypeAdapter(dict[str, str | dict[str, list[str]]])  # the sample file: a notice and the headlines


def read_json(path: Path, schema: TypeAdapter[T], remedy: str) -> T:
    """Read and check a JSON file. Raises BadData naming the file, the first fault and the `remedy`."""
    try:
        return schema.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise BadData(f"{path} is missing: {remedy}") from error
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise BadData(f"{path}: {where}: {fault['msg']}: {remedy}") from error


def write_json(path: Path, schema: TypeAdapter[T], value: T) -> None:
    """Write a JSON file atomically; the same value gives the same bytes."""
    text = json.dumps(schema.dump_python(value, mode="json"), indent=2, ensure_ascii=False)
    write_atomic(path, lambda file: file.write_text(text + "\n", encoding="utf-8"))
