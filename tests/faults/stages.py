"""The stages of the fault matrix: they note that they have started, print for a while, and give a result."""

from base64 import b64encode

LIMIT = 16  # seconds that a stage may run for
DEFER_AFTER = 2  # seconds, then the triggerer follows it
LONG = "long"  # a market whose ingestion is still in the middle when those of others have just begun
INGESTION = {LONG: 11}  # seconds by market
SECONDS = {"ingestion": 6, "scorer": 1, "sentiment": 1, "evaluation": 1}
CODE = """
import json, os, socket, sys, time
stage, seconds, batch = sys.argv[1], int(sys.argv[2]), os.environ["RANKALPHA_BATCH"]
if stage != "evaluation":  # which may only read there; no batch waits for it
    with open("/data/prices/journal.jsonl", "a") as journal:
        journal.write(json.dumps({"stage": stage, "batch": batch, "host": socket.gethostname()}) + "\\n")
for tick in range(seconds * 2):
    print("tick", tick, flush=True)
    time.sleep(0.5)
result = {"rows": 1, "symbols": 1, "as_of": batch[:10], "batch": batch}
json.dump(result, open(os.environ["RANKALPHA_RESULT"], "w"))
"""


def seconds(stage, market):
    """For how long a stage prints."""
    return INGESTION.get(market, SECONDS[stage]) if stage == "ingestion" else SECONDS[stage]


def ticks(market):
    """What the ingestion of a market prints, whole."""
    return list(range(2 * seconds("ingestion", market)))


def command(stage, market):
    """The command of a stage, on one line as an env file holds it."""
    code = b64encode(CODE.encode()).decode()
    return f"python -uc \"import base64; exec(base64.b64decode(b'{code}'))\" {stage} {seconds(stage, market)}"
