"""A sentiment stage of an image of your own: each symbol's rating is 0, which you replace by your model's."""

import json
import os
from pathlib import Path

batch, data = os.environ["RANKALPHA_BATCH"], Path(os.environ.get("RANKALPHA_DATA_DIR", "/data"))
prices = Path(os.environ.get("RANKALPHA_INPUT_PRICES", data / "prices" / batch))
screened = json.loads((prices / "appearances.json").read_text())
symbols = sorted({row["symbol"] for row in screened["appearances"]})
ratings = [{"symbol": symbol, "sentiment": 0.0, "headlines": 1} for symbol in symbols]
report = data / "company_reports" / batch / "sentiment.json"
report.parent.mkdir(parents=True, exist_ok=True)
report.write_text(json.dumps({"as_of": screened["as_of"], "symbols": ratings}))
result = {"rows": len(ratings), "symbols": len(ratings), "as_of": screened["as_of"]}
Path(os.environ["RANKALPHA_RESULT"]).write_text(json.dumps(result))
print(f"rated {len(ratings)} symbols of batch {batch}")
