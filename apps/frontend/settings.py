"""Settings of the frontend: the only reader of its environment variables."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from apps.common.logs import log_format
from apps.common.stage import BadConfig

HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Settings:
    """Where the frontend listens, and where the grading API is."""

    host: str = "127.0.0.1"  # 0.0.0.0 in a container
    port: int = 3000
    api_url: str = "http://127.0.0.1:6080"
    log_format: str = "text"  # or json

    @classmethod
    def from_env(cls) -> "Settings":
        """Read and check every variable. Raises BadConfig naming the key, its value and what is allowed."""
        return cls(
            host=os.environ.get("FRONTEND_HOST") or cls.host,
            port=_port("FRONTEND_PORT", cls.port),
            api_url=_url("API_URL", cls.api_url),
            log_format=log_format("LOG_FORMAT"),
        )


def _port(key: str, default: int) -> int:
    value = os.environ.get(key, "").strip() or str(default)
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= HIGHEST_PORT):
        raise BadConfig(f"{key}={value!r}: allowed are whole numbers from 1 to {HIGHEST_PORT}")
    return int(value)


def _url(key: str, default: str) -> str:
    value = (os.environ.get(key, "").strip() or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadConfig(f"{key}={value!r}: allowed are http:// and https:// addresses")
    return value
