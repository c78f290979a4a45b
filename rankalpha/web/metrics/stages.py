"""What the stages have published and used, as metrics."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from rankalpha.health.summary import failed_checks, outputs, steps, usage
from rankalpha.pipeline.reuse import REUSED_FROM
from rankalpha.pipeline.steps import SHAPE
from rankalpha.stages import STAGES
from rankalpha.web.metrics.gauge import Samples, gauge, seconds

HOUR = 3600.0  # seconds
REUSING = {stage.name for stage in STAGES if stage.reuse}
REUSED = {step.writes for step in SHAPE if step.stage in REUSING}


def datasets(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield how fresh and how large the datasets are."""
    yield gauge(
        "dataset_published_timestamp_seconds",
        "When a dataset's newest batch was published; its age is time() minus this.",
        [((dataset["dataset"],), seconds(dataset["published"])) for dataset in overview["datasets"]],
        ("dataset",),
    )
    yield gauge(
        "dataset_fresh_for_seconds",
        "How long a dataset is fresh, by its contract, once there is something newer.",
        [((dataset["dataset"],), dataset["fresh_for_hours"] * HOUR) for dataset in overview["datasets"]],
        ("dataset",),
    )
    yield gauge(
        "dataset_stale_timestamp_seconds",
        "When a dataset is stale: so long after the close of the first session that it lacks.",
        [((dataset["dataset"],), seconds(dataset["stale_at"])) for dataset in overview["datasets"]],
        ("dataset",),
    )
    for figure in ("rows", "symbols"):
        yield gauge(
            f"dataset_{figure}",
            f"Number of {figure} that the stage reported for a dataset's newest batch.",
            [((dataset,), step[figure]) for dataset, step in _newest(overview)],
            ("dataset",),
        )


def sessions(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield of which session the newest grades are, and what was carried over because nothing was new."""
    session = overview["session"] or {}
    as_of = session.get("as_of")
    yield gauge(
        "session_timestamp_seconds",
        "Midnight in UTC of the session that the newest grades are of.",
        [((), seconds(f"{as_of}T00:00:00+00:00") if as_of else None)],
    )
    yield gauge(
        "sessions_behind",
        "Sessions that have closed and that the newest grades lack, at least; no sample without a calendar.",
        [((), session.get("behind") if session.get("current") is not None else None)],
    )
    yield gauge(
        "carried_over_batches",
        "Batches of the last days whose grades were carried over from an earlier batch.",
        [((), sum(bool(batch["carried_over_from"]) for batch in overview["batches"]))],
    )


def spending(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield what language models have cost."""
    spent = [((dataset,), step.get("spent") or {}) for dataset, step in _newest(overview)]
    for key, name, what in (
        ("tokens", "model_tokens", "Tokens that a language model used for a dataset's newest batch."),
        ("dollars", "model_dollars", "Cost of these tokens in US dollars, where prices are set."),
    ):
        yield gauge(name, what, [(labels, cost.get(key)) for labels, cost in spent], ("dataset",))


def quality(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield the failed checks, missing results and forced publications of what was published."""
    failed: Samples = []
    for dataset, step in _newest(overview):
        counts = Counter(check["severity"] for check in failed_checks(step))
        failed += [((dataset, severity), counts[severity]) for severity in ("block", "warn")]
    yield gauge(
        "failed_checks",
        "Checks of its contract that a dataset's newest batch failed.",
        failed,
        ("dataset", "severity"),
    )
    published = {
        dataset: [step for _, step in steps(overview, name)] for name, dataset in outputs(overview).items()
    }
    yield gauge(
        "missing_results",
        "Batches that were published though their stage reported no result.",
        [((dataset,), sum(step["rows"] is None for step in found)) for dataset, found in published.items()],
        ("dataset",),
    )
    yield gauge(
        "forced_publications",
        "Batches that a person published in spite of a failed check.",
        [((dataset,), sum(bool(step["forced"]) for step in found)) for dataset, found in published.items()],
        ("dataset",),
    )


def containers(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield what the newest container of each stage used."""
    used = list(usage(overview))
    for key, name, what in (
        ("seconds", "container_duration_seconds", "How long a stage's newest container ran."),
        ("cpu_seconds", "container_cpu_seconds", "CPU time of a stage's newest container."),
        ("peak_memory_bytes", "container_peak_memory_bytes", "Peak memory of a stage's newest container."),
        (
            "memory_limit_bytes",
            "container_memory_limit_bytes",
            "Memory limit of a stage's newest container; a process has no sample.",
        ),
    ):
        yield gauge(name, what, [((container["step"],), container.get(key)) for container in used], ("step",))


def reused(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield for how many batches nothing ran because nothing was new."""
    yield gauge(
        "reused_versions",
        "Batches of the last days for which no container ran, because an earlier version was used again.",
        [
            ((dataset,), sum(bool(step.get(REUSED_FROM)) for _, step in steps(overview, name)))
            for name, dataset in outputs(overview).items()
            if dataset.rpartition("_")[2] in REUSED
        ],
        ("dataset",),
    )


def _newest(overview: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each dataset with the step that published its newest batch."""
    for name, dataset in outputs(overview).items():
        for _, step in steps(overview, name):
            yield dataset, step
            break
