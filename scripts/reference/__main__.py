"""Write docs/reference from the code: `make reference`; with `--check`, name what differs instead."""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"


def forget_environment(home: str) -> None:
    """Take the settings away, so that the pages show the defaults; Airflow must not be loaded yet."""
    for key in [key for key in os.environ if key.startswith(("AIRFLOW", "RANKALPHA"))]:
        del os.environ[key]
    os.environ |= {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2:///none",  # none is asked
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "RANKALPHA_ENV_DIR": str(ROOT / "env"),
        "RANKALPHA_MARKETS": os.devnull,  # of several markets, the pages describe the default one
    }


def written() -> dict[Path, str]:
    """Return each page of the reference as the code says it."""
    sys.path.insert(0, str(ROOT))
    from scripts.reference.pages import pages  # noqa: PLC0415  what it loads reads the environment

    return {FOLDER / name: text for name, text in pages(ROOT).items()}


def differing(pages: dict[Path, str]) -> list[str]:
    """Return the pages that are missing, too many, or not as the code says."""
    there = {file: file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.md")}
    files = pages.keys() | there.keys()
    return sorted(str(file.relative_to(ROOT)) for file in files if pages.get(file) != there.get(file))


def main() -> int:
    """Write the pages, or check them; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-reference-") as home:
        forget_environment(home)
        pages = written()
    changed = differing(pages)
    if "--check" in sys.argv[1:]:
        if changed:
            print(f"error: not as the code: {', '.join(changed)}; run `make reference`", file=sys.stderr)
        return bool(changed)
    for name in changed:
        file = ROOT / name
        if file in pages:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(pages[file], encoding="utf-8")
        else:
            file.unlink()
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
