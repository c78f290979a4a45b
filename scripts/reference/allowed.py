"""The values that a setting may have, from the classes that read them."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from apps.api import settings as api
from apps.evaluation import settings as evaluation
from apps.frontend import settings as frontend
from apps.ingestion import settings as ingestion
from apps.scorer import settings as scorer
from apps.sentiment import settings as sentiment
from apps.trainer import settings as trainer
from rankalpha import settings as orchestration

MODULES = (orchestration, api, evaluation, frontend, ingestion, scorer, sentiment, trainer)
WORDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}  # by pydantic's names
KINDS = {bool: "`true` or `false`", int: "a whole number", float: "a number"}


def allowed() -> dict[str, str]:
    """Return in words what each setting may be, where its class says so."""
    return {key: words(field) for model in models() for key, field in fields(model)}


def models() -> Iterator[type[BaseSettings]]:
    """Yield the classes of settings of all modules."""
    for module in MODULES:
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__.startswith(module.__name__)
            if own and issubclass(value, BaseSettings):
                yield value


def fields(model: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields of a class by the names of their variables."""
    for name, field in model.model_fields.items():
        alias = field.validation_alias or f"{model.model_config.get('env_prefix', '')}{name}".upper()
        for key in alias.choices if isinstance(alias, AliasChoices) else [alias]:
            yield str(key), field


def words(field: FieldInfo) -> str:
    """Return what a field allows; empty for a text, whose meaning says it."""
    kind: Any = field.annotation
    if get_origin(kind) in (Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    bounds = [bound for item in field.metadata for bound in _bounds(item)]
    return ", ".join([KINDS[kind], *bounds]) if kind in KINDS else ""


def _bounds(item: Any) -> Iterator[str]:
    for name, text in WORDS.items():
        if (number := getattr(item, name, None)) is not None:
            yield f"{text} {number:,}"
