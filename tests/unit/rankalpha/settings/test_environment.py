import pytest

from rankalpha.settings import SettingsError, settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RETRIES", "-1"),
        ("RETRIES", "many"),
        ("RETRY_DELAY", "5m"),
        ("MAX_RETRY_DELAY", "-1"),
        ("STAGE_TIMEOUT", "0"),
        ("REQUIRE_RESULT", "perhaps"),
        ("DOCKER_URL", "docker-proxy:2375"),
        ("DOCKER_URL", "tcp://docker-proxy"),
        ("AIRFLOW_URL", "airflow:8080"),
        ("API_URL", "http://"),
        ("FRONTEND_URL", "http://a b"),
        *(
            (variable, value)
            for variable in (
                "MAX_AGE_DAYS",
                "MAX_SESSIONS_BEHIND",
                "STAGE_SLOTS",
                "DEFER_AFTER",
                "LOG_MB",
                "KEEP_FAILED_HOURS",
                "KEEP_LOG_DAYS",
                "KEEP_METADATA_DAYS",
                "RETRIES",
                "RETRY_DELAY",
                "MAX_RETRY_DELAY",
                "STAGE_TIMEOUT",
                "WATCH_DAYS",
                "GRADED_WITHIN",
                "STARTED_WITHIN",
                "FINISHED_WITHIN",
            )
            for value in ("nan", "inf", "-1", "1e300", "9" * 30)
        ),
    ],
)
def test_a_bad_value_is_named_with_its_variable(monkeypatch, variable, value):
    monkeypatch.setenv(f"RANKALPHA_{variable}", value)
    with pytest.raises(SettingsError, match=f"RANKALPHA_{variable}='{value}': "):
        settings()


@pytest.mark.parametrize("url", ["hc-ping.com/s3cret", "http:///s3cret"])
def test_the_address_of_a_monitor_that_is_none_is_named_and_not_shown(monkeypatch, url):
    monkeypatch.setenv("RANKALPHA_PING_URL", url)
    with pytest.raises(SettingsError, match="PING_URL: is not an http or https address") as caught:
        settings()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("variable", ["ALERT_EMAIL", "RUNNER", "PING_URL"])
def test_what_is_no_utf8_is_named(monkeypatch, variable):
    monkeypatch.setenv(f"RANKALPHA_{variable}", "s3cret\udce9")
    with pytest.raises(
        SettingsError, match=rf"^RANKALPHA_{variable}.*: holds U\+DCE9, which is half a cha"
    ) as caught:
        settings()
    assert ("s3cret" in str(caught.value)) == (variable != "PING_URL"), "secrets do not show"


def test_every_bad_value_is_named(monkeypatch):
    monkeypatch.setenv("RANKALPHA_RETRIES", "-1")
    monkeypatch.setenv("RANKALPHA_STAGE_TIMEOUT", "soon")
    with pytest.raises(SettingsError, match=r"RANKALPHA_RETRIES='-1'.*; RANKALPHA_STAGE_TIMEOUT='soon'"):
        settings()


def test_settings_cannot_be_changed_by_the_way():
    with pytest.raises(ValueError, match="frozen"):
        settings().retries = 1
