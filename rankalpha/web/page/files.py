"""Serves the page's own files; they hold no data, so anybody may read them."""

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).with_name("static")
HEADERS = {
    # only the page's own files run, it asks this server only, and only Airflow's own frame may hold it
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",  # requested again after an upgrade; unchanged files are not sent
}


class PageFiles(StaticFiles):
    """The files of `static`, each with the security headers."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC, html=True)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file, or 304 when the caller's copy is current."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response
