"""How settings are read: their base class, their bounds, and the error that names a bad value."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rankalpha.usable import engine_problem, text_problem, url_problem

# no setting needs more, and longer times overflow in Airflow, PostgreSQL and Python's dates
A_YEAR = timedelta(days=366)
SECONDS, MINUTES, HOURS = (A_YEAR // timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))
A_CENTURY = 36525  # days
MOST_SLOTS = 2**31 - 1  # of a pool, in Airflow's database
MOST_RETRIES = 1000


class SettingsError(Exception):
    """A setting is missing or not valid; the message names the key, its value and what is expected."""


def _checked(problem_of: Callable[[Any], str]) -> AfterValidator:
    def check(value: Any) -> Any:
        if problem := problem_of(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


Url = Annotated[str, _checked(url_problem)]
SecretUrl = Annotated[SecretStr, _checked(lambda url: url and url_problem(url.get_secret_value()))]
OptionalUrl = Annotated[str, _checked(lambda url: url and url_problem(url))]
EngineUrl = Annotated[str, _checked(engine_problem)]


class Environment(BaseSettings):
    """Settings from environment variables, whose names are the class's prefix and the field's name."""

    model_config = SettingsConfigDict(env_prefix="RANKALPHA_", env_ignore_empty=True, frozen=True)

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and (problem := text_problem(text)):
            raise ValueError(problem)
        return value

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise SettingsError naming each variable that is wrong, with its value."""
        try:
            return cls()
        except ValidationError as error:
            problems = (
                f"{cls._shown(str(mistake['loc'][0]), mistake['input'])}: "
                f"{mistake['msg'].removeprefix('Value error, ')}"
                for mistake in error.errors()
            )
            raise SettingsError("; ".join(problems)) from error

    @classmethod
    def _shown(cls, name: str, value: Any) -> str:
        key = f"{cls.model_config['env_prefix']}{name.upper()}"
        return key if cls.model_fields[name].annotation is SecretStr else f"{key}={value!r}"
