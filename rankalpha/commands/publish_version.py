"""Publishes again a version that a batch has had: what was published in its place stays, and is on record."""

from collections.abc import Sequence

from rankalpha.airflow_api import AirflowApi, admin_api
from rankalpha.commands.batches import check_key
from rankalpha.commands.progress import show_what_follows
from rankalpha.commands.refusals import Refused
from rankalpha.contract.quarantine import permission_problem
from rankalpha.lineage.batch import events_of
from rankalpha.lineage.inputs import Event, version_of
from rankalpha.lineage.service import ServiceError, call, service_profile
from rankalpha.lineage.verify import problems_of
from rankalpha.pipeline.pipelines import Pipeline, pipeline
from rankalpha.pipeline.steps import Step
from rankalpha.settings import AdminSettings
from rankalpha.stages.grading import FRONTEND_REFRESH, GRADING_SHOW


def publish_version(key: str, dataset: str, path: str, reason: str, market: str | None) -> int:
    """Publish a version of a batch in the name of the admin user; return the exit status.

    Raises a refusal.
    """
    api, of_market, by = admin_api(), pipeline(market), AdminSettings.load().user
    step = of_market.step_that_writes(dataset)
    check_key(key)
    if problem := permission_problem(by, reason):
        raise Refused(problem)
    events = events_of(api, step.writes, key)
    event = _event(events, step, key, path)
    try:
        _publish(api, of_market, key, event, {"by": by, "reason": reason.strip()})
    except ServiceError as error:
        raise Refused(str(error)) from error
    print(f"Published {path} as batch {of_market.market.named(key)} of {step.writes}")
    show_what_follows(step.dag_id)
    return 0


def _event(events: Sequence[Event], step: Step, key: str, path: str) -> Event:
    """Return the newest event that has published the version; Refused lists those that there were."""
    versions = [version for event in events if (version := version_of(event["extra"] or {}))]
    if not versions:
        raise Refused(f"batch {key} has no version in {step.writes}")
    if versions[-1]["path"] == path and version_of(events[-1]["extra"] or {}):
        raise Refused(f"{path} is what batch {key} has in {step.writes} now")
    for event in reversed(events):
        if (version_of(event["extra"] or {}) or {}).get("path") == path:
            return event
    known = ", ".join(dict.fromkeys(str(version["path"]) for version in reversed(versions)))
    raise Refused(f"batch {key} was never published in {step.writes} as {path!r}; it was as {known}")


def _publish(api: AirflowApi, of_market: Pipeline, key: str, event: Event, record: dict[str, str]) -> None:
    """Compare the version with the disk, have grades shown, and emit the event again."""
    extra = dict(event["extra"])
    version = {name: str(extra["version"][name]) for name in ("path", "sha256")}
    profile = service_profile(api, of_market)
    folder = of_market.market.folder
    if problems := problems_of(profile.line("API_URL"), folder, version["path"], version["sha256"]):
        raise Refused(f"this version is not as it was published: {'; '.join(problems)}")
    if event["name"] == of_market.steps[-1].writes:  # grades: no task follows that would have them shown
        about = GRADING_SHOW.of(of_market.market).about(key)
        call(profile, GRADING_SHOW, {**about, "version": version})
        call(profile, FRONTEND_REFRESH, about)
    again = {**extra, "republished": record}  # last, so that the command can be repeated
    api.post("assets/events", {"asset_id": event["asset_id"], "partition_key": key, "extra": again})
