"""The page's own files, at an address that changes with them: browsers keep them and mix no versions."""

import os
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
KEEP = "public, max-age=31536000, immutable"


class KeptFiles(StaticFiles):
    """Files that a browser need not ask for again."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file with how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = KEEP
        return response


def version_of(folder: Path) -> str:
    """Return a name that is another one when a file of the folder is another one."""
    found = sha256()
    for file in sorted(folder.iterdir()):
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:12]


def page_of(folder: Path, place: str) -> str:
    """Return the page with its files below `place`, each script named so that none waits for another."""
    text = (folder / "index.html").read_text(encoding="utf-8").replace("/static/", f"{place}/")
    scripts = (
        f'  <link rel="modulepreload" href="{place}/{file.name}">\n' for file in sorted(folder.glob("*.js"))
    )
    return text.replace("</head>", f"{''.join(scripts)}</head>")
