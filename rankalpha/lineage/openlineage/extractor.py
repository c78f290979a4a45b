"""Describes our tasks to the OpenLineage provider: which datasets they read, check and write.

A stage or a call reads what it consumes, and the model that its result names, and writes its dataset when it
publishes at once. Otherwise a publish task reads the same and writes the dataset, so that the datasets are
connected in a catalogue that knows nothing of DAGs. By the specification, the checks of the contract are a
facet of an input: so the checked dataset is an input, too, of the task that checks it.
"""

from collections.abc import Mapping
from typing import Any

from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from openlineage.client.event_v2 import Dataset, InputDataset
from openlineage.client.facet_v2 import RunFacet, tags_run

from rankalpha.contract.quarantine import QUARANTINE
from rankalpha.lineage.inputs import version_of
from rankalpha.lineage.openlineage.configuration import NAMESPACE
from rankalpha.lineage.openlineage.facets import (
    Facets,
    checked,
    container_tags,
    of_dataset,
    of_version,
    read_version,
    written,
)
from rankalpha.pipeline.pipelines import pipeline_of
from rankalpha.stages.output import Output, pull_output

Lineage = OperatorLineage[Dataset, RunFacet]

PUBLISHES = "PublishOperator"


class DatasetExtractor(BaseExtractor):
    """Describes the operators of the steps."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """Return the names of the operators' classes."""
        return ["StageOperator", "ServiceOperator", "ShowOperator", PUBLISHES]

    def _execute_extraction(self) -> Lineage:
        """Describe a task that starts: its batch may not be known yet."""
        return Lineage(inputs=self._inputs(None))

    def extract_on_complete(self, task_instance: Any) -> Lineage:
        """Describe a task that has succeeded."""
        output = self._output(task_instance)
        batch = output["batch"]
        tags = [] if self._publishes else list(container_tags(output["container"]))
        run_facets: Facets = {"tags": tags_run.TagsRunFacet(tags=tags)} if tags else {}
        inputs = self._inputs(batch, output["result"])
        outputs: list[Dataset] = []
        for asset in self.operator.outlets:
            extra = task_instance.get_template_context()["outlet_events"][asset].extra
            inputs += checked(asset, batch, extra.get("checks") or ())
            outputs.append(written(asset, batch, extra))
        return Lineage(inputs=inputs, outputs=outputs, run_facets=run_facets)

    def extract_on_failure(self, task_instance: Any) -> Lineage:
        """Describe a task that has failed: nothing is written, and checks show why a result was blocked."""
        output = self._output(task_instance)
        batch = output["batch"]
        inputs = self._inputs(batch, output["result"])
        blocked = task_instance.xcom_pull(task_ids=self.operator.task_id, key=QUARANTINE)
        for asset in self.operator.outlets if blocked else ():
            inputs += checked(asset, batch, blocked["checks"])
        return Lineage(inputs=inputs)

    @property
    def _publishes(self) -> bool:
        """Whether the task publishes what another has made; one that publishes at once has outlets too."""
        return bool(self.operator.task_type == PUBLISHES)

    def _output(self, task_instance: Any) -> Output:
        """Return the output of the task, or of the task whose result it publishes."""
        source = next(iter(self.operator.upstream_task_ids)) if self._publishes else self.operator.task_id
        return pull_output(task_instance, source)

    def _inputs(self, batch: str | None, result: Mapping[str, Any] | None = None) -> list[Dataset]:
        """Return the datasets that were read; `result` records the versions that they had."""
        readers = [self.operator, *(self.operator.upstream_list if self._publishes else ())]
        assets = [asset for reader in readers for asset in reader.inlets]
        read = (version_of(result or {}) or {}).get("inputs", {})
        pipeline = pipeline_of(self.operator.dag_id)
        steps = [step for step in pipeline.steps if step.dag_id == self.operator.dag_id] if pipeline else []
        names = {name: plain for step in steps for name, plain in zip(step.reads, step.inputs, strict=True)}
        beside = [(name, read[plain]) for step in steps for name, plain in step.also if plain in read]
        return [
            *(
                InputDataset(
                    NAMESPACE,
                    asset.name,
                    facets=of_dataset(asset, batch)
                    | read_version(read.get(names.get(asset.name, asset.name))),
                )
                for asset in assets
            ),
            *(InputDataset(NAMESPACE, name, facets=of_version(version)) for name, version in beside),
        ]
