"""What the init step refuses to run with."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////tmp/airflow.db"},
            "Airflow's database must be PostgreSQL",
        ),
        (
            {"AIRFLOW__CORE__ASSET_MANAGER_CLASS": ""},
            "set AIRFLOW__CORE__ASSET_MANAGER_CLASS=rankalpha.joins.asset_manager",
        ),
        ({"RANKALPHA_ENV": "production"}, "profile 'production' cannot start"),
        ({}, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"),  # nobody listens there
    ],
)
def test_it_refuses_in_one_line_before_it_touches_anything(environment, message, tmp_path):
    usual = {
        "AIRFLOW__CORE__ASSET_MANAGER_CLASS": "rankalpha.joins.asset_manager.BatchAssetManager",
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://me:s3cret@/none?host={tmp_path}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.prepare"],
        env={**usual, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stderr


def test_it_refuses_what_was_restored_in_half(tmp_path):
    (tmp_path / "half-restored").touch()
    env = {
        "AIRFLOW__CORE__ASSET_MANAGER_CLASS": "rankalpha.joins.asset_manager.BatchAssetManager",
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2:///none?host={tmp_path}",
        "RANKALPHA_STACK": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.prepare"], env=env, capture_output=True, text=True
    )
    assert (done.returncode, "a restore was interrupted" in done.stderr) == (1, True)
