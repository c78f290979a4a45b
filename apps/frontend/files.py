"""The page's own files, at an address that changes with them: browsers keep them and mix no versions."""

import gzip
import mimetypes
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response
from starlette.exceptions import HTTPException

STATIC = Path(__file__).parent / "static"
KEEP = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


def kept_files(folder: Path) -> Callable[[Request], Awaitable[Response]]:
    """Return a route of {name} that answers from memory, because a page is 35 files."""
    plain = {file.name: file.read_bytes() for file in folder.iterdir()}
    packed = {name: gzip.compress(content) for name, content in plain.items()}

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in plain:
            raise HTTPException(404)
        packs = "gzip" in request.headers.get("accept-encoding", "")
        headers = KEEP | ({"Content-Encoding": "gzip"} if packs else {})
        return Response(
            (packed if packs else plain)[name], headers=headers, media_type=mimetypes.guess_type(name)[0]
        )

    return answer


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
