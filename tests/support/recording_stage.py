"""A stage that does nothing but record that it ran, for tests of the scheduling around it.

A file <data root>/fault-<stage> makes it go wrong in the way that the file names, once it is there; one that
holds a JSON object is what its result says instead. "crash then hang" is a mode for each start of a batch.
"""

import hashlib
import json
import os
import sys
import time
from pathlib import Path

stage, batch = sys.argv[1], os.environ["RANKALPHA_BATCH"]
market = os.environ.get("RANKALPHA_MARKET", "")
data = Path(os.environ["RANKALPHA_DATA_DIR"])
data.mkdir(exist_ok=True)
result = {"stage": stage, "batch": batch, "rows": 1, "symbols": 1, "as_of": batch[:10]}
result["checksum"] = f"sha256:{hashlib.sha256(f'{stage} {batch}{market}'.encode()).hexdigest()}"
fault = data / f"fault-{stage}"
modes = fault.read_text().split(" then ") if fault.exists() else [""]

with (data / "journal.jsonl").open("a+") as journal:
    journal.seek(0)
    starts = [json.loads(line) for line in journal]
    begun = sum((start["stage"], start["batch"]) == (stage, batch) for start in starts)
    mode = modes[min(begun, len(modes) - 1)]
    entry = {
        "stage": stage,
        "batch": batch,
        "date": os.environ["RANKALPHA_DATE"],
        "pid": os.getpid(),
        "market": market,
        "limit": os.environ.get("SENTIMENT_CONSENSUS_LIMIT"),
        "key": hashlib.sha256(os.environ.get("OPENAI_API_KEY", "").encode()).hexdigest(),
    }
    journal.write(json.dumps(entry) + "\n")
if mode == "bad data":
    print("the stage's input is broken", file=sys.stderr)
    sys.exit(os.EX_DATAERR)
if mode == "long lines":
    for letter in "abc":
        print(letter * 300_000)
    sys.exit(os.EX_DATAERR)
if mode == "hang":
    time.sleep(600)
while mode == "held" and fault.exists():  # until the fault is over
    time.sleep(0.1)
if mode.startswith("chatty"):
    time.sleep(4)  # so that it is deferred
    for _ in range(12_000):
        print("x" * 1_999)
    for _ in range(200_000):
        print("x" * 199)
    while mode == "chatty for ever":
        print("x" * 199)
if mode.startswith("slow"):
    time.sleep(10)
if mode.endswith("crash"):
    sys.exit("the stage broke")
if mode == "no rows":
    result["rows"] = 0
if mode.startswith("{"):
    result |= json.loads(mode)
time.sleep(sum(map(ord, stage + batch)) % 4 / 5)  # some batches' stages are late, always the same ones
Path(os.environ["RANKALPHA_RESULT"]).write_text("{" if mode == "malformed" else json.dumps(result))
