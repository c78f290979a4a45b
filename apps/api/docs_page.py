"""The page about the API: Swagger UI from a package, so that nothing is loaded from elsewhere."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
router = APIRouter(include_in_schema=False)


@router.get("/docs")
def show() -> FileResponse:
    """Show the page."""
    return FileResponse(STATIC / "index.html")


def add_page(app: FastAPI) -> None:
    """Serve the page, and what it loads beside Swagger UI."""
    app.include_router(router)
    app.mount("/docs/static", StaticFiles(directory=STATIC))
