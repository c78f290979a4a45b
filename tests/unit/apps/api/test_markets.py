"""Which markets the API names."""

from pathlib import Path

from fastapi.testclient import TestClient

from apps.api.app import create_app
from apps.api.settings import Settings


def named(data: Path, markets: Path | None) -> list[str]:
    with TestClient(create_app(Settings(data_dir=data, markets=markets))) as client:
        return client.get("/api/v1/grading/markets").json()["markets"]


def test_the_default_market_comes_first(tmp_path: Path) -> None:
    listed = tmp_path / "markets.toml"
    listed.write_text("[xetra]\n[nyse]\n[default]\n")
    assert named(tmp_path, listed) == ["default", "nyse", "xetra"]


def test_without_a_list_only_the_default_one_is_known(tmp_path: Path) -> None:
    assert named(tmp_path, None) == ["default"]
    assert named(tmp_path, tmp_path / "absent.toml") == ["default"]
