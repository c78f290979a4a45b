"""Secrets that a stack makes for itself: keys of the profile `local`, and files for its servers."""

import secrets
from pathlib import Path

from cryptography.fernet import Fernet

FERNET = "AIRFLOW__CORE__FERNET_KEY"
KEYS = (FERNET, "AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET")
KEYS_FILE = Path("/var/lib/rankalpha/keys/keys.env")  # of the containers; the embedded stack has its own
PASSWORDS = Path("/var/lib/rankalpha/passwords")  # a volume of the containers, read by PostgreSQL and Redis


def make_keys(file: Path, **more: str) -> None:
    """Write an env file of new keys, and of `more`, that only its owner can read; one that is there stays."""
    if not file.exists():
        made = {key: secrets.token_urlsafe(64) for key in KEYS}  # as long as the tokens' signature asks for
        made |= {FERNET: Fernet.generate_key().decode(), **more}
        write_secret(file, "".join(f"{key}={value}\n" for key, value in made.items()), mode=0o600)


def make_password() -> str:
    """Return a password that needs no quoting in a URL."""
    return secrets.token_urlsafe(32)


def write_secret(file: Path, text: str, mode: int) -> None:
    """Write a file that nobody reads before it is whole, and then only those whom `mode` allows."""
    made = file.with_suffix(".new")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    made.write_text(text)
    made.chmod(mode)
    made.replace(file)
