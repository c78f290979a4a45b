"""A batch at a glance, as JSON: a part of `rankalpha.health.overview`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rankalpha.contract.report import verdict
from rankalpha.health.standing import FRONTEND, Batch
from rankalpha.pipeline.pipelines import Pipeline, following
from rankalpha.pipeline.reuse import CARRIED_FROM, REUSED_FROM
from rankalpha.pipeline.sessions import carried_over
from rankalpha.pipeline.steps import Step

FIGURES = ("rows", "symbols", "as_of", "container", "forced", REUSED_FROM, CARRIED_FROM)


def overview_of(pipeline: Pipeline, batch: Batch, now: datetime) -> dict[str, Any]:
    """Return the part of the overview that is about one batch.

    `session` is which session its prices are of, `news` says in words that its grades were carried over.
    """
    dag_ids = pipeline.by_step | {FRONTEND: pipeline.grading}
    return {
        "batch": batch.key,
        "begun": text(batch.begun),
        "settled": batch.settled,
        "where": batch.where,
        "session": batch.day.described(now) if batch.day else None,
        "carried_over_from": batch.carried_over_from,
        "news": carried_over(batch.carried_over_from, batch.day),
        "steps": [_step(batch, name, dag_ids[name]) | _neighbours(pipeline, name) for name in batch.steps],
        "grades": batch.steps["grading"].extra.get("details") or None,
    }


def _neighbours(pipeline: Pipeline, name: str) -> dict[str, Any]:
    """Return the steps that a step reads from, those that run because it has published, and what it is."""
    writers = {step.writes: step.name for step in pipeline.steps}
    names = {step.dag_id: step.name for step in pipeline.steps}
    own: Step | None = next((step for step in pipeline.steps if step.name == name), None)
    if own is None:
        needs, follows = [names[pipeline.grading]], []
    else:
        needs = [writers[dataset] for dataset in own.reads]
        follows = [names[each] for each in following(own.dag_id)]
    return {
        "needs": needs,
        "follows": follows,
        "dataset": own.output if own else None,
        "optional": own is not None and own.optional,
    }


def _step(batch: Batch, name: str, dag_id: str) -> dict[str, Any]:
    standing = batch.steps[name]
    return {
        "step": name,
        "dag_id": dag_id,
        "state": standing.state,
        "since": text(standing.since),
        "run_id": standing.run_id,
        "seconds": standing.seconds,
        "published": text(standing.published),
        **{key: standing.extra.get(key) for key in FIGURES},
        "checks": _checks(standing.extra),
        "spent": _spent(standing.extra.get("details") or {}),
        "held": _held(standing.held),
    }


def _held(held: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what is blocked: its own figures and checks, not those of what was published before."""
    if not held:
        return None
    result = held.get("result") or {}
    figures = {key: result.get(key) for key in ("rows", "symbols", "as_of")}
    known = {key: held.get(key) for key in ("task", "container", "publishes")}
    return {**figures, **known, "checks": _checks(held), "spent": _spent(result.get("details") or {})}


def _checks(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the checks of a result, each with its verdict in a word."""
    return [{**check, "verdict": verdict(check)} for check in result.get("checks") or ()]


def _spent(details: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a language model has cost; None for a stage that uses none."""
    figures = {key: value for key, value in details.items() if type(value) in (int, float)}
    if "input_tokens" not in figures:
        return None
    tokens = figures["input_tokens"] + figures.get("output_tokens", 0)
    return {"tokens": tokens, "dollars": figures.get("cost_dollars")}


def text(moment: datetime | None) -> str | None:
    """Return a moment in the ISO form, for JSON."""
    return moment.isoformat() if moment else None
