"""Has the API write its record of grades again, from the grades that are on the disk."""

from rankalpha.airflow_api import admin_api
from rankalpha.commands.refusals import Refused
from rankalpha.lineage.service import ServiceError, ask, service_profile
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.texts import count

PATH = "/api/v1/grading/history/rebuild"
SHOWN = 5  # reasons that are printed


def rebuild_history(market: str | None) -> int:
    """Rebuild the record of a market; return the exit status."""
    of_market = pipeline(market)
    url = service_profile(admin_api(), of_market).line("API_URL")
    body = {"market": of_market.market.folder} if of_market.market.folder else {}
    try:
        answer = ask("POST", f"{url.rstrip('/')}{PATH}", json=body)
    except ServiceError as error:
        raise Refused(str(error)) from error
    damaged = answer.get("damaged") or []
    for name in damaged:
        print(f"Damaged: it is kept as grades/history/{name}.")
    recorded, unread = answer.get("recorded") or [], answer.get("unread") or []
    before = "" if damaged else "; the others were in the record already"
    print(f"Recorded {count(len(recorded), 'batch', 'batches')}{before}.")
    if damaged:
        print("Batches whose grades are no longer on the disk are missing now; a backup may have them.")
    for reason in unread[:SHOWN]:
        print(f"NOT RECORDED  {reason}")
    return 1 if unread else 0
