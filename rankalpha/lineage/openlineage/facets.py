"""What OpenLineage is told of a dataset, a version, a contract's checks and a container: its facets."""

from collections.abc import Iterable, Mapping
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    dataset_version_dataset,
    documentation_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    tags_dataset,
    tags_run,
)

from rankalpha.lineage.inputs import version_of
from rankalpha.lineage.openlineage.configuration import NAMESPACE
from rankalpha.pipeline.reuse import CARRIED_FROM, REUSED_FROM

SOURCE = "RANKALPHA"
SEVERITY = {"block": "error", "warn": "warn"}  # ours, and OpenLineage's
Facets = dict[str, Any]


def of_dataset(asset: Any, batch: str | None) -> Facets:
    """Return whose a dataset is, what it is and, in a batch, which."""
    owner = ownership_dataset.Owner(name=str(asset.extra["owner"]))
    facets: Facets = {
        "documentation": documentation_dataset.DocumentationDatasetFacet(str(asset.extra["description"])),
        "ownership": ownership_dataset.OwnershipDatasetFacet(owners=[owner]),
    }
    if batch:
        facets |= _of_batch(batch)
    return facets


def _of_batch(batch: str) -> Facets:
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=batch)}


def _tags(values: Mapping[str, Any]) -> Facets:
    fields = [
        tags_dataset.TagsDatasetFacetFields(key=key, value=str(value), source=SOURCE)
        for key, value in values.items()
    ]
    return {"tags": tags_dataset.TagsDatasetFacet(tags=fields)}


def read_version(version: Mapping[str, Any] | None) -> Facets:
    """Return which bytes were read; DatasetVersion is the batch, which all tasks have in common."""
    return _tags({"version": version["path"], "version_sha256": version["sha256"]}) if version else {}


def of_version(version: Mapping[str, Any]) -> Facets:
    """Return which bytes of a dataset were read that the run has not joined: they are of another batch."""
    batch = str(version["path"]).split("/")[1:2]
    return read_version(version) | (_of_batch(batch[0]) if batch else {})


def written(asset: Any, batch: str | None, extra: Mapping[str, Any]) -> OutputDataset:
    """Return a dataset that was published with `extra`."""
    figures = {key: extra[key] for key in ("symbols", "as_of", "checksum") if extra.get(key) is not None}
    if forced := extra.get("forced"):
        figures["forced"] = f"by {forced['by']}: {forced['reason']}"
    figures |= {key: extra[key] for key in (REUSED_FROM, CARRIED_FROM) if extra.get(key)}
    if version := version_of(extra):
        figures |= {"version": version["path"], "version_sha256": version["sha256"]}
    facets = of_dataset(asset, batch) | _tags(figures)
    rows = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=extra.get("rows"))
    return OutputDataset(NAMESPACE, asset.name, facets=facets, outputFacets={"outputStatistics": rows})


def checked(asset: Any, batch: str | None, checks: Iterable[Mapping[str, Any]]) -> Iterable[InputDataset]:
    """Yield a dataset that was checked by its contract; nothing without checks."""
    assertions = [
        data_quality_assertions_dataset.Assertion(
            assertion=check["name"],
            name=check["name"],
            success=check["passed"],
            severity=SEVERITY[check["severity"]],
            expected=check["expected"],
            actual=None if check["value"] is None else str(check["value"]),
        )
        for check in checks
    ]
    if assertions:
        facet = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=assertions)
        yield InputDataset(
            NAMESPACE,
            asset.name,
            facets=of_dataset(asset, batch),
            inputFacets={"dataQualityAssertions": facet},
        )


def container_tags(container: Mapping[str, Any] | None) -> Iterable[tags_run.TagsRunFacetFields]:
    """Yield what is known of a stage's container."""
    for key, value in (container or {}).items():
        if value is not None:
            yield tags_run.TagsRunFacetFields(key=f"container_{key}", value=str(value), source=SOURCE)
