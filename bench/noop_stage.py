"""A stage that does nothing: the rest of a batch's time is the orchestration's."""

import json
import os
import sys
from pathlib import Path

batch = os.environ["RANKALPHA_BATCH"]
result = {"stage": sys.argv[1], "batch": batch, "rows": 1, "symbols": 1, "as_of": batch[:10]}
Path(os.environ["RANKALPHA_RESULT"]).write_text(json.dumps(result))
