"""A batch of two symbols that the sentiment stage rates with a chat model."""

import json
from pathlib import Path

from tests.unit.apps.support.batch_files import write_appearances
from tests.unit.apps.support.chat_api import SECRET
from tests.unit.apps.support.stage_process import Ended, run_sentiment

BOTH = {"KO": ["trend", "bargain"], "PG": ["trend", "bargain"]}


def analyse(data: Path, settings: dict[str, str], **more: str) -> Ended:
    write_appearances(data, on_lists=BOTH)
    done = run_sentiment(data, RANKALPHA_RESULT=str(data / "result.json"), **settings, **more)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done


def details(data: Path) -> dict[str, object]:
    return json.loads((data / "result.json").read_text())["details"]
