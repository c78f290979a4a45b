"""Compares what is on the disk with what a batch has published."""

from rankalpha import remedy
from rankalpha.airflow_api import admin_api
from rankalpha.commands.batches import check_key, published
from rankalpha.commands.refusals import Refused
from rankalpha.lineage.service import ServiceError
from rankalpha.lineage.verify import verify_batch
from rankalpha.pipeline.batch import is_key
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.texts import count


def verify(key: str | None, market: str | None) -> int:
    """Verify a batch, or the newest one that is published in prices; return the exit status."""
    api, of_market = admin_api(), pipeline(market)
    if key is not None:
        check_key(key)
    known = sorted(filter(is_key, published(api, of_market.steps[0].writes)), reverse=True)
    if not known or (key is not None and key not in known):
        raise Refused(f"batch {key} was never published" if known else "no batch is published yet")
    batch = key or known[0]
    try:
        verdicts = verify_batch(api, of_market, batch)
    except ServiceError as error:
        raise Refused(str(error)) from error
    print(f"Batch {of_market.market.named(batch)}")
    for verdict in verdicts:
        outcome = "NOT AS PUBLISHED" if verdict.problems else "ok"
        print(f"{outcome:<16}  {verdict.path}  ({verdict.dataset}, {verdict.why})")
        for problem in verdict.problems:
            print(f"    {problem}")
    if not verdicts:
        print("It has no versions: images without versions have published it, or it is from before versions.")
    if wrong := sum(bool(verdict.problems) for verdict in verdicts):
        again = remedy.command("rerun", "--batch", batch, *(["--market", market] if market else []))
        print(f"{count(wrong, 'version')} not as published. `{again}` makes the batch again.")
        return 1
    return 0
