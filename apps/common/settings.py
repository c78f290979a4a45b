"""Settings that are read from the environment: one class for each service, each field a variable.

A variable is the class's prefix and the field's name, or the field's alias. Blanks around a value do not
count, and an empty variable counts as unset, because env files like to carry `OPENAI_API_KEY=` as a reminder.
"""

from collections.abc import Callable
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from apps.common.addresses import shown
from apps.common.stage import BadConfig
from apps.common.transient import Patience

LONGEST = 100  # characters of a value that an error shows


class Environment(BaseSettings):
    """The settings of one service; `from_env` reads them."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, frozen=True, validate_by_name=True, validate_by_alias=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _without_blanks(cls, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value

    @classmethod
    def from_env(cls) -> Self:
        """Read and check every variable. Raises BadConfig naming each bad key, its value and the fix."""
        try:
            return cls()
        except ValidationError as error:
            raise BadConfig("; ".join(cls._problem(**each) for each in error.errors())) from error

    @classmethod
    def _problem(cls, loc: tuple[str | int, ...], msg: str, input: Any, **_: Any) -> str:  # noqa: A002  pydantic's name
        text = msg.removeprefix("Value error, ")
        if not loc:
            return text  # about several fields
        name = str(loc[0])
        field = cls.model_fields.get(name)
        key = f"{cls.model_config['env_prefix']}{name.upper()}" if field else name
        if field and field.annotation is SecretStr:
            return f"{key}: {text}"
        value = repr(shown(str(input)))
        return f"{key}={value if len(value) <= LONGEST else value[:LONGEST] + '…'}: {text}"


class PatientEnvironment(Environment):
    """Settings of what asks a service of others; see `apps.common.transient`."""

    timeout_seconds: float = Field(default=30, gt=0, le=3600, description="Longest time for one answer.")
    attempts: int = Field(default=4, ge=1, le=100, description="How often one thing is asked for.")
    longest_wait_seconds: float = Field(
        default=120, gt=0, le=3600, description="Longest wait before the next attempt."
    )

    @property
    def patience(self) -> Patience:
        """How long and how often the service is asked."""
        return Patience(self.timeout_seconds, self.attempts, self.longest_wait_seconds)


def _checked(problem_of: Callable[[Any], str]) -> AfterValidator:
    def check(value: Any) -> Any:
        if problem := problem_of(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


def _address_problem(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an IPv6 address, or a port that is not a number
        good = False
    return "" if good else "expected an http:// or https:// address"


def _true_or_false(value: Any) -> Any:
    if isinstance(value, str) and value.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return value


Address = Annotated[str, _checked(_address_problem)]
Flag = Annotated[bool, BeforeValidator(_true_or_false)]
Port = Annotated[int, Field(ge=1, le=65535)]
