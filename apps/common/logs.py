"""How the services log: lines of text, or one JSON object an event for aggregation."""

import logging
import sys
from typing import Any, Literal

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# as in Airflow's own JSON logs
NAMES = {"levelname": "level", "message": "event", "name": "logger", "exc_info": "exception"}

LogFormat = Literal["text", "json"]


def configure(log_format: LogFormat) -> None:
    """Log to stdout, all libraries included, whatever the process had loaded before."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines() if log_format == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    server = logging.getLogger("uvicorn.error")
    server.handlers.clear()
    server.propagate = True


class JsonLines(JsonFormatter):
    """The fields are named as in Airflow's own JSON logs; `batch` is there when the record has one."""

    def __init__(self) -> None:
        fields = [name for name in NAMES if name != "exc_info"]
        reserved = [*RESERVED_ATTRS, "color_message"]  # uvicorn's second copy of its message
        super().__init__(fields, rename_fields=NAMES, timestamp=True, reserved_attrs=reserved)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with the level as Airflow spells it, and without an empty batch."""
        named = {name: value for name, value in log_data.items() if name != "batch" or value}
        return named | {"level": str(log_data["level"]).lower()}
