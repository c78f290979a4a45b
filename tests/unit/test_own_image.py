"""The example of an image of one's own, as a process: grading and the contract take what it writes."""

import json
import os
import subprocess
import sys

import pytest

from apps.api.inputs import read_sentiment
from datasets.sentiment import SENTIMENT_CONTRACT
from rankalpha.stages.result import parse_result

BATCH = "2026-11-22T06:00:00"
APPEARANCES = {
    "as_of": "2026-11-20",
    "appearances": [
        {"symbol": symbol, "screener": screener, "style": "momentum"}
        for symbol, screener in (("AAPL", "rise"), ("AAPL", "high"), ("BRK-B", "rise"))
    ],
}


@pytest.mark.parametrize("told", [False, True], ids=["the batch's folder", "the folder that it is told"])
def test_it_rates_each_symbol_once(root, tmp_path, told):
    folder = tmp_path / "prices" / BATCH / ("a-version" if told else "")
    folder.mkdir(parents=True)
    (folder / "appearances.json").write_text(json.dumps(APPEARANCES))
    env = {
        **os.environ,
        "RANKALPHA_BATCH": BATCH,
        "RANKALPHA_DATA_DIR": str(tmp_path),
        "RANKALPHA_RESULT": str(tmp_path / "result.json"),
        **({"RANKALPHA_INPUT_PRICES": str(folder)} if told else {}),
    }
    for _ in range(2):  # it may run again
        program = root / "examples" / "own-image" / "main.py"
        done = subprocess.run([sys.executable, program], env=env, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, f"rated 2 symbols of batch {BATCH}\n"), done.stderr
    rated = read_sentiment(tmp_path / "company_reports" / BATCH / "sentiment.json")
    assert rated.rows() == [("AAPL", 0.0, 1), ("BRK-B", 0.0, 1)]
    result = parse_result((tmp_path / "result.json").read_bytes(), BATCH)
    outcomes = SENTIMENT_CONTRACT.evaluate(BATCH, result, {}, required=True)
    assert [outcome for outcome in outcomes if not outcome["passed"]] == []
