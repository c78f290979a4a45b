"""A stage that takes part in versions and records what it has really read: `version_stage.py <name>`.

A file <data root>/fault, or fault-<name> for one stage, holds how it goes wrong: `killed` after half of its
output, `held` there until the file is gone, `no rows` to be blocked;
<data root>/more holds more of the result, as JSON.
"""

import hashlib
import json
import os
import sys
import time
import uuid
from pathlib import Path


def digest(content):
    return hashlib.sha256(content).hexdigest()


stage = sys.argv[1]
data, output = Path(os.environ["RANKALPHA_DATA_DIR"]), Path(os.environ["RANKALPHA_OUTPUT"])
batch = os.environ["RANKALPHA_BATCH"]
faulty = [path for path in (data / f"fault-{stage}", data / "fault") if path.exists()]
fault = faulty[0].read_text() if faulty else ""
inputs, read = {}, {}
for key in sorted(os.environ):
    if key.startswith("RANKALPHA_INPUT_") and not key.endswith("_SHA256"):
        dataset, folder = key.removeprefix("RANKALPHA_INPUT_").lower(), Path(os.environ[key])
        inputs[dataset] = {"path": str(folder.relative_to(data)), "sha256": os.environ[f"{key}_SHA256"]}
        read[dataset] = {"path": inputs[dataset]["path"], "content": digest((folder / "data").read_bytes())}
output.mkdir(parents=True)  # it must not be there
content = json.dumps([stage, uuid.uuid4().hex, read]).encode()
(output / "data").write_bytes(content)
if fault == "killed":
    os._exit(137)
if fault == "held":
    (data / f"held-{stage}").write_text(str(os.getpid()))
    while faulty[0].exists():
        time.sleep(0.05)
files = {"data": {"size": len(content), "sha256": digest(content)}}
path = str(output.relative_to(data))
about = {"stage": stage, "batch": batch, "version": output.name}
manifest = json.dumps({**about, "files": files, "inputs": inputs}).encode()
(output / "manifest.json").write_bytes(manifest)
with (data / "journal").open("a") as journal:
    journal.write(json.dumps({"version": path, "read": read}) + "\n")
rows = 0 if fault == "no rows" else 1
result = {"rows": rows, "symbols": 1, "as_of": os.environ["RANKALPHA_DATE"]}
if (data / "more").exists():
    result |= json.loads((data / "more").read_text())
version = {"path": path, "sha256": digest(manifest), "files": files, "inputs": inputs}
Path(os.environ["RANKALPHA_RESULT"]).write_text(json.dumps({**result, "version": version}))
