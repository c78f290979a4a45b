"""How the services log: lines of text, or one JSON object an event for aggregation."""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from apps.common.stage import BadConfig

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
FORMATS = ("text", "json")


def log_format(key: str) -> str:
    """Return the variable `key`, `text` or `json`; raises BadConfig for anything else."""
    value = os.environ.get(key, "").strip() or FORMATS[0]
    if value not in FORMATS:
        raise BadConfig(f"{key}={value!r}: allowed are {' and '.join(FORMATS)}")
    return value


def configure(form: str) -> None:
    """Log to stdout, all libraries included."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class JsonLines(logging.Formatter):
    """The fields are named as in Airflow's own JSON logs; `batch` is there when the record has one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        found = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        if batch := getattr(record, "batch", ""):
            found["batch"] = batch
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found)
