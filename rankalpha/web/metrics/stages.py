"""What the stages have published and used, as metrics."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from rankalpha.health.summary import failed_checks, steps, usage
from rankalpha.pipeline.steps import DATASETS
from rankalpha.web.metrics.gauge import Samples, gauge, seconds

HOUR = 3600.0  # seconds


def datasets(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield how fresh and how large the datasets are."""
    yield gauge(
        "dataset_published_timestamp_seconds",
        "When a dataset's newest batch was published; its age is time() minus this.",
        [((DATASETS[one["step"]],), seconds(one["published"])) for one in seen["datasets"]],
        ("dataset",),
    )
    yield gauge(
        "dataset_fresh_for_seconds",
        "Age at which a dataset is stale, by its contract.",
        [((DATASETS[one["step"]],), one["fresh_for_hours"] * HOUR) for one in seen["datasets"]],
        ("dataset",),
    )
    for figure in ("rows", "symbols"):
        yield gauge(
            f"dataset_{figure}",
            f"Number of {figure} that the stage has reported for a dataset's newest batch.",
            [((dataset,), one[figure]) for dataset, one in _newest(seen)],
            ("dataset",),
        )


def spending(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield what language models have cost."""
    spent = [((dataset,), one.get("spent") or {}) for dataset, one in _newest(seen)]
    for key, name, what in (
        ("tokens", "model_tokens", "Tokens that a language model has taken for a dataset's newest batch."),
        ("dollars", "model_dollars", "What that has cost, where prices are set."),
    ):
        yield gauge(name, what, [(labels, cost.get(key)) for labels, cost in spent], ("dataset",))


def quality(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield what was published in spite of something."""
    failed: Samples = []
    for dataset, one in _newest(seen):
        counts = Counter(check["severity"] for check in failed_checks(one))
        failed += [((dataset, severity), counts[severity]) for severity in ("block", "warn")]
    yield gauge(
        "failed_checks",
        "Checks of its contract that a dataset's newest batch has failed.",
        failed,
        ("dataset", "severity"),
    )
    published = {dataset: [one for _, one in steps(seen, step)] for step, dataset in DATASETS.items()}
    yield gauge(
        "missing_results",
        "Batches that were published though their stage reported no result.",
        [((dataset,), sum(one["rows"] is None for one in found)) for dataset, found in published.items()],
        ("dataset",),
    )
    yield gauge(
        "forced_publications",
        "Batches that a person has published in spite of a failed check.",
        [((dataset,), sum(bool(one["forced"]) for one in found)) for dataset, found in published.items()],
        ("dataset",),
    )


def containers(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    """Yield what the newest container of each stage has used."""
    found = list(usage(seen))
    for key, name, what in (
        ("seconds", "container_duration_seconds", "How long a stage's newest container ran."),
        ("cpu_seconds", "container_cpu_seconds", "CPU time of a stage's newest container."),
        ("peak_memory_bytes", "container_peak_memory_bytes", "Peak memory of a stage's newest container."),
        ("memory_limit_bytes", "container_memory_limit_bytes", "Its limit; none for a process."),
    ):
        yield gauge(name, what, [((one["step"],), one.get(key)) for one in found], ("step",))


def _newest(seen: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each dataset with the step that has published its newest batch."""
    for step, dataset in DATASETS.items():
        for _, one in steps(seen, step):
            yield dataset, one
            break
