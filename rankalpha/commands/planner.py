"""What a challenger would make of a past batch: its stages run once, and nothing is published or kept."""

import logging
import secrets
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.sdk import conf

from rankalpha.airflow_api import AirflowApi
from rankalpha.commands.past import Ended, Past, Versions
from rankalpha.commands.preview import Previews
from rankalpha.commands.refusals import Refused
from rankalpha.containers.once import NotStarted, run_once
from rankalpha.contract import Contract
from rankalpha.contract.contract import failed
from rankalpha.contract.report import sentence
from rankalpha.lineage.graph import import_from
from rankalpha.lineage.service import variables_of
from rankalpha.pipeline.challenger import Challenger
from rankalpha.pipeline.champion import CHAMPION
from rankalpha.pipeline.steps import GRADING, TRAINING, Shape
from rankalpha.pipeline.versions import VERSION, Given, Version
from rankalpha.runners import runner
from rankalpha.runners.failures import EngineLost, StageFailed
from rankalpha.runners.identity import Identity
from rankalpha.settings import settings
from rankalpha.stages import STAGES
from rankalpha.stages.given import environment
from rankalpha.stages.job import StageJob
from rankalpha.stages.storable import ResultError
from rankalpha.texts import shown

log = logging.getLogger(__name__)
log.propagate = False  # stdout may be JSON; warnings go to stderr
log.addHandler(logging.StreamHandler())
log.setLevel(logging.WARNING)


class Planner:
    """Plans one batch after another; `used` is what the challenger's containers have used, by stage.

    Raises a refusal for what can be planned for no batch.
    """

    def __init__(self, api: AirflowApi, challenger: Challenger, past: Past, previews: Previews) -> None:
        self._challenger, self._past, self._previews = challenger, past, previews
        self._steps = [step for step in challenger.declared.steps if step.stage]
        self._stages = {stage.name: stage.of(challenger) for stage in STAGES}
        for step in self._steps:
            self._check(step)
        self._engine, self._variables = runner(), variables_of(api)
        self._contracts = {step.writes: _contract(step.writes) for step in (*self._steps, GRADING)}
        self._token = secrets.token_hex(4)
        self.used: dict[str, list[Mapping[str, Any]]] = {step.stage: [] for step in self._steps}

    def _check(self, step: Shape) -> None:
        """Refuse a stage of which a run today says nothing about a past batch."""
        stage = step.stage
        if self._stages[stage].outside:
            raise Refused(
                f"stage {stage} reads more than its inputs, and that is no longer as it was; declare a "
                "variant, and compare it on new batches"
            )
        if stage in self._challenger.declared.images and settings().runner == "process":
            raise Refused(
                f"stages run as processes here, without an image; name a command of stage {stage} instead: "
                f"--setting {stage}={stage.upper()}_COMMAND=…"
            )

    def row(self, key: str) -> dict[str, Any]:
        """Return what was found of a batch, as `apps.api.comparing` has it.

        `left_out`, `failed` or `blocked` says why a batch is not compared; `blocked` may also stand beside
        the comparison.
        """
        try:
            return {"batch": key, **self._compared(key)}
        except Ended as error:
            return {"batch": key, error.kind: str(error)}

    def _compared(self, key: str) -> dict[str, Any]:
        graded = self._past.graded(key, self._steps)
        made: Versions = {}
        try:
            for step in self._steps:
                made[step.writes] = self._made(step, key, {**graded.beside, **graded.made_from, **made})
            inputs = {name: made.get(name, version) for name, version in graded.made_from.items()}
            weight = self._challenger.declared.sentiment_weight
            answer = self._previews.compared(key, graded.grades, inputs, weight)
        finally:
            for step in self._steps:
                self._previews.clean(self._place(step, key))
        compared = answer["comparison"]
        blocked = self._blocked(GRADING.writes, key, answer)
        figures = {name: compared[name] for name in ("as_of", "symbols")}
        return {**figures, **compared["details"], **({"blocked": blocked} if blocked else {})}

    def _made(self, step: Shape, key: str, versions: Versions) -> Version:
        """Run a stage for a batch; return what it has written."""
        stage = self._stages[step.stage]
        identity = Identity(
            stage=stage.name,
            batch=key,
            dag=self._challenger.dag_id(step.name),
            task="plan",
            run=f"plan__{self._token}",
            map_index=-1,
            group=0,
            try_number=1,
        )
        model = self._past.model(stage, key, self._variables)
        given = Given(
            inputs={**{name: versions[name] for name in step.reads}, **model},
            earlier={
                name: self._past.versions_before(name, key, most) for name, most in stage.earlier.items()
            },
        )
        root, name = self._engine.data_root(stage), self._place(step, key).rpartition("/")[2]
        own = environment(stage, given, root, key, name)
        job = StageJob.of(stage, key, identity.labels, own, self._variables)
        named = job.env.get(stage.model, "").strip()
        of_its_time = named == CHAMPION and stage.market.training  # there may have been none yet
        if named and not model and not of_its_time:
            raise Refused(
                f"{stage.model}={shown(named)} gives {stage.name} no model, and the formula would score; "
                f"name a batch that is published in {stage.market.dataset_name(TRAINING.writes)}"
            )
        self._previews.discard(self._place(step, key))  # an API that cannot is noticed before the stage runs
        try:
            result, used = run_once(self._engine, job, identity, log)
        except (NotStarted, EngineLost) as error:
            raise Refused(str(error)) from error
        except (StageFailed, ResultError) as error:
            raise Ended("failed", str(error)) from error
        self.used[stage.name].append(used)
        if blocked := self._blocked(step.writes, key, result):
            raise Ended("blocked", blocked)
        version = Version.of((result or {}).get(VERSION), f"the result of stage {stage.name}")
        if version is None:
            raise Refused(
                f"stage {stage.name} has written no version; a plan needs an image that takes part in "
                "versions"
            )
        return version

    def _place(self, step: Shape, key: str) -> str:
        """Return the path of what a stage writes for this plan; no attempt of a task has such a name."""
        stage = self._stages[step.stage]
        return f"{stage.output}/{key}/{stage.name}-{self._token}-plan"

    def _blocked(self, dataset: str, key: str, result: Mapping[str, Any] | None) -> str:
        """Say what the contract of a dataset would block; an empty text when it would not."""
        before = self._past.figures_before(dataset, key)
        checks = self._contracts[dataset].evaluate(key, result, before, settings().require_result)
        broken = failed(checks, "block")
        name = self._challenger.champion.dataset_name(dataset)
        return f"{name}: {'. '.join(map(sentence, broken))}" if broken else ""


def _contract(dataset: str) -> Contract:
    """Return the contract of a dataset of the DAG bundle."""
    import_from(Path(conf.get_mandatory_value("core", "dags_folder")))
    declared: Contract = getattr(import_module(f"datasets.{dataset}"), f"{dataset.upper()}_CONTRACT")
    return declared
