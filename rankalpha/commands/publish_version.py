"""Publishes again a version that a batch has had: what was published in its place stays, and is on record."""

from collections.abc import Sequence

from rankalpha.airflow_api import AirflowApi, admin_api
from rankalpha.commands.batches import check_key
from rankalpha.commands.progress import show_what_follows
from rankalpha.commands.refusals import Refused
from rankalpha.contract.quarantine import permission_problem
from rankalpha.lineage.batch import events_of
from rankalpha.lineage.inputs import Event
from rankalpha.lineage.service import ServiceError, call, service_profile
from rankalpha.lineage.verify import problems_of
from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.pipelines import Pipeline, pipeline
from rankalpha.pipeline.steps import Step
from rankalpha.pipeline.versions import VERSION, Version
from rankalpha.settings import AdminSettings
from rankalpha.stages.grading import EVALUATION_SHOW, FRONTEND_REFRESH, GRADING_SHOW

SHOWS = {"grades": GRADING_SHOW, "evaluations": EVALUATION_SHOW}


def publish_version(key: str, dataset: str, path: str, reason: str, market: str | None) -> int:
    """Publish a version of a batch in the name of the admin user; return the exit status.

    Raises a refusal.
    """
    api, of_market, by = admin_api(), pipeline(market), AdminSettings.load().user
    step = of_market.step_that_writes(dataset)
    check_key(key)
    if problem := permission_problem(by, reason):
        raise Refused(problem)
    candidates = _candidates(events_of(api, step.writes, key), step, key, path)
    try:
        _publish(api, of_market, key, candidates, {"by": by, "reason": reason.strip()})
    except ServiceError as error:
        raise Refused(str(error)) from error
    print(f"Published {path} as batch {of_market.market.named(key)} of {step.writes}")
    show_what_follows(step.dag_id)
    return 0


def _candidates(events: Sequence[Event], step: Step, key: str, path: str) -> list[Event]:
    """Return the events that have published the version, newest first; Refused lists those that there were.

    There are several only when a person has posted one with another checksum, so that one of them is wrong.
    """
    named = [(event, version) for event in events if (version := _possible(event))]
    if not named:
        raise Refused(f"batch {key} has no version in {step.writes}")
    now = named[-1][1] if named[-1][0] is events[-1] else None
    found = {version.sha256: event for event, version in named if version.path == path and version != now}
    if found:
        return list(reversed(found.values()))
    if now and now.path == path:
        raise Refused(f"{path} is what batch {key} has in {step.writes} now")
    known = ", ".join(dict.fromkeys(version.path for _, version in reversed(named)))
    raise Refused(f"batch {key} was never published in {step.writes} as {path!r}; it was as {known}")


def _possible(event: Event) -> Version | None:
    """Return the version of an event; None without one, and for one that cannot exist."""
    try:
        return Version.of((event["extra"] or {}).get(VERSION), event["name"])
    except BatchError:
        return None


def _publish(
    api: AirflowApi, of_market: Pipeline, key: str, candidates: Sequence[Event], record: dict[str, str]
) -> None:
    """Compare the version with the disk, have grades shown, and emit its event again."""
    profile = service_profile(api, of_market)
    event, version = _sound(profile.line("API_URL"), of_market.market.folder, candidates)
    about = GRADING_SHOW.of(of_market.market).about(key)
    output = of_market.step_that_writes(event["name"]).output
    if output in SHOWS:  # no task follows that would have them shown
        call(profile, SHOWS[output], {**about, "version": version})
    if output == of_market.graded.output:
        call(profile, FRONTEND_REFRESH, about)
    again = {**event["extra"], "republished": record}  # last, so that the command can be repeated
    api.post("assets/events", {"asset_id": event["asset_id"], "partition_key": key, "extra": again})


def _sound(url: str, folder: str, candidates: Sequence[Event]) -> tuple[Event, dict[str, str]]:
    """Return the newest event whose version is on the disk, with path and checksum of it."""
    problems: list[str] = []
    for event in candidates:
        version = {name: str(event["extra"][VERSION][name]) for name in ("path", "sha256")}
        found = problems_of(url, folder, version["path"], version["sha256"])
        if not found:
            return event, version
        problems += found
    raise Refused(f"this version is not as it was published: {'; '.join(problems)}")
