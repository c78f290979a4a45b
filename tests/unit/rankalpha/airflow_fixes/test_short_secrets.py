import logging

import pytest
from airflow.sdk._shared.secrets_masker import SecretsMasker
from airflow.sdk.log import mask_secret

from rankalpha.airflow_fixes import short_secrets


@pytest.fixture
def warnings(monkeypatch, caplog):
    """What the masker says of a Variable of three letters, and of another fault, with or without the fix."""
    logger = logging.getLogger(short_secrets.LOGGERS[0])
    monkeypatch.setattr(logger, "filters", [])

    def warned(fix: bool) -> list[str]:
        monkeypatch.setattr(SecretsMasker, "_has_warned_short_secret", False)
        caplog.clear()
        if fix:
            short_secrets.apply()
        mask_secret("0.5", "SCORER_CPUS")
        logger.warning("another fault")
        return [record.getMessage() for record in caplog.records if record.name == logger.name]

    return warned


def test_without_the_fix_airflow_warns_of_a_variable_of_three_letters(warnings):
    assert len(warnings(fix=False)) == 2


def test_with_it_nothing_is_said_but_other_warnings_are(warnings):
    assert warnings(fix=True) == ["another fault"]
