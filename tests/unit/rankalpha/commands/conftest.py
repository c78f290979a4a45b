"""What the commands' tests share: Airflow's API and RankAlpha's, as far as a command needs them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_server import Answer, Request, local_server

Serving = Callable[[Callable[[Request], Any]], AbstractContextManager[list[Request]]]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch, profile_dir: Path) -> Serving:
    """Serve what `answer` gives to commands, beside a token and no Variable; gives the requests."""

    @contextmanager
    def begin(answer: Callable[[Request], Answer]) -> Iterator[list[Request]]:
        def of_both(request: Request) -> Answer:
            if request.path == "/auth/token":
                return 201, {"access_token": "token"}
            if request.path.startswith("/api/v2/variables/"):
                return 404, {"detail": "not found"}
            return answer(request)

        with local_server(of_both) as (url, requests):
            for name in ("AIRFLOW", "API", "FRONTEND"):
                monkeypatch.setenv(f"RANKALPHA_{name}_URL", url)
            monkeypatch.setenv("RANKALPHA_ADMIN_PASSWORD", "sesame")
            yield requests

    return begin
