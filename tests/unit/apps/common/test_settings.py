"""Settings of the services: their variables, defaults and refusals."""

import pytest
from pydantic_settings import SettingsConfigDict

from apps.api.settings import Settings as ApiSettings
from apps.common.settings import PatientEnvironment
from apps.common.stage import BadConfig
from apps.common.transient import Patience
from apps.frontend.settings import Settings as PageSettings
from apps.sentiment.settings import Settings as SentimentSettings


class Patient(PatientEnvironment):
    model_config = SettingsConfigDict(env_prefix="X_")


def test_patience_is_a_setting(monkeypatch):
    assert Patient.from_env().patience == Patience()
    for key, value in {"TIMEOUT_SECONDS": "2.5", "ATTEMPTS": "2", "LONGEST_WAIT_SECONDS": "9"}.items():
        monkeypatch.setenv(f"X_{key}", value)
    assert Patient.from_env().patience == Patience(2.5, 2, 9.0)


@pytest.mark.parametrize("key", ["TIMEOUT_SECONDS", "ATTEMPTS", "LONGEST_WAIT_SECONDS"])
@pytest.mark.parametrize("value", ["0", "-1", "soon", "nan", "inf", "1e9", "\u00b2"])
def test_a_setting_that_makes_no_sense_is_named(monkeypatch, key, value):
    monkeypatch.setenv(f"X_{key}", value)
    with pytest.raises(BadConfig, match=f"^X_{key}={value!r}: "):
        Patient.from_env()


@pytest.mark.parametrize(
    ("settings", "key", "value"),
    [
        (ApiSettings, "API_PORT", "65536"),
        (ApiSettings, "API_PORT", "http"),
        (ApiSettings, "GRADING_SENTIMENT_WEIGHT", "1.1"),
        (ApiSettings, "GRADING_SENTIMENT_WEIGHT", "nan"),
        (ApiSettings, "LOG_FORMAT", "yaml"),
        (PageSettings, "FRONTEND_PORT", "0"),
        (PageSettings, "API_URL", "127.0.0.1:6080"),
        (PageSettings, "API_URL", "http://:6080"),
        (PageSettings, "LOG_FORMAT", "JSON"),
    ],
)
def test_a_service_names_what_it_refuses(monkeypatch, settings, key, value):
    monkeypatch.setenv(key, value)
    with pytest.raises(BadConfig, match=f"^{key}={value!r}: "):
        settings.from_env()


def test_an_address_is_shown_without_its_secrets(monkeypatch):
    monkeypatch.setenv("SENTIMENT_RSS_URL", "ftp://ann:hidden@example.org/{symbol}?apikey=hidden&x=1")
    with pytest.raises(BadConfig, match=r"^SENTIMENT_RSS_URL='ftp://example\.org/") as refusal:
        SentimentSettings.from_env()
    assert "hidden" not in str(refusal.value)


def test_dollars_need_a_price(monkeypatch):
    monkeypatch.setenv("SENTIMENT_BUDGET_DOLLARS", "0.5")
    assert SentimentSettings.from_env().chat is None  # without a key nothing is spent
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with pytest.raises(
        BadConfig, match=r"^SENTIMENT_BUDGET_DOLLARS=0\.5 needs prices: set OPENAI_INPUT_PRICE"
    ):
        SentimentSettings.from_env()
