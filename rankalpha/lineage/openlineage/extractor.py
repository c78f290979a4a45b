"""Describes our tasks to the OpenLineage provider: which datasets they read, check and write.

A stage or a call reads what it consumes. A publish task reads the same, and writes its dataset, so that the
datasets are connected in a catalogue that knows nothing of DAGs. By the specification, the checks of the
contract are a facet of an input: so the checked dataset is an input of the publish task, too.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from openlineage.client.event_v2 import Dataset, InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    RunFacet,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    documentation_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    tags_dataset,
    tags_run,
)

from rankalpha.contract.quarantine import QUARANTINE
from rankalpha.lineage.inputs import version_of
from rankalpha.lineage.openlineage.configuration import NAMESPACE
from rankalpha.pipeline.pipelines import pipeline_of
from rankalpha.pipeline.reuse import CARRIED_FROM, REUSED_FROM
from rankalpha.stages.output import Output, pull_output

SOURCE = "RANKALPHA"
SEVERITY = {"block": "error", "warn": "warn"}  # ours, and OpenLineage's
Facets = dict[str, Any]
Lineage = OperatorLineage[Dataset, RunFacet]


class DatasetExtractor(BaseExtractor):
    """Describes the operators of the steps."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """Return the names of the operators' classes."""
        return ["StageOperator", "ServiceOperator", "ShowOperator", "PublishOperator"]

    def _execute_extraction(self) -> Lineage:
        """Describe a task that starts: its batch may not be known yet."""
        return Lineage(inputs=self._inputs(None))

    def extract_on_complete(self, task_instance: Any) -> Lineage:
        """Describe a task that has succeeded."""
        output = self._output(task_instance)
        batch = output["batch"]
        tags = [] if self.operator.outlets else list(_container(output["container"]))
        run_facets: Facets = {"tags": tags_run.TagsRunFacet(tags=tags)} if tags else {}
        inputs = self._inputs(batch, output["result"])
        outputs: list[Dataset] = []
        for asset in self.operator.outlets:
            extra = task_instance.get_template_context()["outlet_events"][asset].extra
            inputs += _checked(asset, batch, extra.get("checks") or ())
            outputs.append(_written(asset, batch, extra))
        return Lineage(inputs=inputs, outputs=outputs, run_facets=run_facets)

    def extract_on_failure(self, task_instance: Any) -> Lineage:
        """Describe a task that has failed: nothing is written, and checks show why a result was blocked."""
        output = self._output(task_instance)
        batch = output["batch"]
        inputs = self._inputs(batch, output["result"])
        blocked = task_instance.xcom_pull(task_ids=self.operator.task_id, key=QUARANTINE)
        for asset in self.operator.outlets if blocked else ():
            inputs += _checked(asset, batch, blocked["checks"])
        return Lineage(inputs=inputs)

    def _output(self, task_instance: Any) -> Output:
        """Return the output of the task, or of the task whose result it publishes."""
        source = (
            next(iter(self.operator.upstream_task_ids)) if self.operator.outlets else self.operator.task_id
        )
        return pull_output(task_instance, source)

    def _inputs(self, batch: str | None, result: Mapping[str, Any] | None = None) -> list[Dataset]:
        """Return the datasets that were read; `result` records the versions that they had."""
        readers = [self.operator, *(self.operator.upstream_list if self.operator.outlets else ())]
        assets = [asset for reader in readers for asset in reader.inlets]
        read = (version_of(result or {}) or {}).get("inputs", {})
        pipeline = pipeline_of(self.operator.dag_id)
        prefix = pipeline.market.prefix if pipeline else ""
        return [
            InputDataset(
                NAMESPACE,
                asset.name,
                facets=_of_dataset(asset, batch) | _version(read.get(asset.name.removeprefix(prefix))),
            )
            for asset in assets
        ]


def _of_dataset(asset: Any, batch: str | None) -> Facets:
    owner = ownership_dataset.Owner(name=str(asset.extra["owner"]))
    facets: Facets = {
        "documentation": documentation_dataset.DocumentationDatasetFacet(str(asset.extra["description"])),
        "ownership": ownership_dataset.OwnershipDatasetFacet(owners=[owner]),
    }
    if batch:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=batch)
    return facets


def _tags(values: Mapping[str, Any]) -> Facets:
    fields = [
        tags_dataset.TagsDatasetFacetFields(key=key, value=str(value), source=SOURCE)
        for key, value in values.items()
    ]
    return {"tags": tags_dataset.TagsDatasetFacet(tags=fields)}


def _version(version: Mapping[str, Any] | None) -> Facets:
    """Return which bytes were read; DatasetVersion is the batch, which all tasks have in common."""
    return _tags({"version": version["path"], "version_sha256": version["sha256"]}) if version else {}


def _written(asset: Any, batch: str | None, extra: Mapping[str, Any]) -> OutputDataset:
    figures = {key: extra[key] for key in ("symbols", "as_of", "checksum") if extra.get(key) is not None}
    if forced := extra.get("forced"):
        figures["forced"] = f"by {forced['by']}: {forced['reason']}"
    figures |= {key: extra[key] for key in (REUSED_FROM, CARRIED_FROM) if extra.get(key)}
    if version := version_of(extra):
        figures |= {"version": version["path"], "version_sha256": version["sha256"]}
    facets = _of_dataset(asset, batch) | _tags(figures)
    rows = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=extra.get("rows"))
    return OutputDataset(NAMESPACE, asset.name, facets=facets, outputFacets={"outputStatistics": rows})


def _checked(asset: Any, batch: str | None, checks: Iterable[Mapping[str, Any]]) -> Iterable[InputDataset]:
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
            facets=_of_dataset(asset, batch),
            inputFacets={"dataQualityAssertions": facet},
        )


def _container(container: Mapping[str, Any] | None) -> Iterable[tags_run.TagsRunFacetFields]:
    for key, value in (container or {}).items():
        if value is not None:
            yield tags_run.TagsRunFacetFields(key=f"container_{key}", value=str(value), source=SOURCE)
