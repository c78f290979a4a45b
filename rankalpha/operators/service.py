"""The operator that makes a call to RankAlpha's API or frontend."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.logs import bind_batch
from rankalpha.operators.at_once import publish_at_once, published_at_once
from rankalpha.operators.given import published_version, request
from rankalpha.operators.reuse import same_inputs
from rankalpha.pipeline.batch import BatchError, batch_of
from rankalpha.pipeline.reuse import CARRIED_FROM
from rankalpha.pipeline.versions import VERSION, Version
from rankalpha.settings import SettingsError
from rankalpha.stages.call import Call
from rankalpha.stages.output import PUBLISHED, pull_output, push_output

NOT_RECORDED = "not_recorded"  # key in an API's answer: why


class ServiceOperator(BaseOperator):
    """Make `call` for the batch of this run and push a `rankalpha.stages.output`, as a stage does.

    A task that `consumes` datasets finds its batch as StageOperator does; otherwise its batch is that of the
    task `batch_from`. An answer 4xx is final. Without a connection, or an answer in time, and after 5xx or an
    unexpected answer, another attempt follows.
    """

    def __init__(
        self, *, call: Call, consumes: Sequence[Asset] = (), batch_from: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(
            inlets=list(consumes),
            execution_timeout=timedelta(minutes=15),
            on_success_callback=published_at_once,
            do_xcom_push=False,
            **kwargs,
        )
        self.call = call
        self.consumes = tuple(consumes)
        self.batch_from = batch_from

    def execute(self, context: Context) -> None:
        """Call the service and check that it speaks of this batch."""
        from rankalpha.operators.http_call import make, result_of  # noqa: PLC0415  slow to load, and not for parsing

        try:
            batch = self._batch(context)
            bind_batch(batch)
            profile = self.call.profile()
            takes_part = self.call.takes_part(profile)
            named = request(context, self, batch, self.call) if takes_part else {}
            same = same_inputs(context, self, batch, self.call) if takes_part else None
            answer = make(self.call, profile, batch, self.log, named | (same.said if same else {}))
        except (BatchError, SettingsError) as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("Batch %s: %s answered %s", batch, self.call.name, answer)
        output = f"{self.call.output}/{batch}/{named['version']}" if named else ""
        result = result_of(answer, batch, output, named.get("inputs"))
        if self.call.market.challenges and VERSION not in (result or {}):
            raise AirflowFailException(
                f"{self.call.name} wrote no version, so it may have shown these grades; a variant needs a "
                "service that takes part in versions. Remove the variant, and clear the batch's show_grades"
            )
        origin: dict[str, Any] = same.origin(result) if same else {}
        if carried := origin.get(CARRIED_FROM):
            self.log.info("Nothing is new: these grades are those of batch %s, carried over", carried)
        publish_at_once(self, context, push_output(context["ti"], batch, result, **origin))

    def _batch(self, context: Context) -> str:
        if not self.batch_from:
            return batch_of(context, self.consumes, self.log)
        batch = pull_output(context["ti"], self.batch_from)["batch"]
        if not batch:
            raise BatchError(f"task {self.batch_from} has no batch yet; run it before this task")
        return batch


class ShowOperator(ServiceOperator):
    """Have the service show what is published in `dataset` for the batch of the task `batch_from`.

    That is what was published last, also when the task of an older run is cleared. Of a batch that is older
    than those that the state store keeps, it is what this run has published. What nobody has published is
    never shown, although a person may have marked the publishing task as a success. A service that takes no
    part in versions has none: it shows what it grades by itself.
    """

    def __init__(self, *, dataset: Asset, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset = dataset.name

    def execute(self, context: Context) -> None:
        """Name the version to the service, unless there is none."""
        from rankalpha.operators.http_call import make  # noqa: PLC0415  slow to load, and not for parsing

        try:
            batch = self._batch(context)
            bind_batch(batch)
            own = self._own(context, batch)
            version = published_version(self.dataset, batch) or self._published(context, batch, own)
            if version is None:
                self.log.info("Batch %s has no version; the service shows what it has by itself", batch)
                return
            answer = make(self.call, self.call.profile(), batch, self.log, {VERSION: version.reference})
        except (BatchError, SettingsError) as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("Batch %s: %s answered %s", batch, self.call.name, answer)
        if problem := answer.get(NOT_RECORDED):
            self.log.warning("Batch %s is shown, but not in the API's record of grades: %s", batch, problem)

    def _own(self, context: Context, batch: str) -> Version | None:
        result = pull_output(context["ti"], str(self.batch_from))["result"] or {}
        return Version.of(result.get(VERSION), f"the result of {self.batch_from} for batch {batch}")

    def _published(self, context: Context, batch: str, own: Version | None) -> Version | None:
        """Return the version of this run; raise when the task before this one has not published it."""
        if own is None:
            return None
        (source,) = self.upstream_task_ids
        if context["ti"].xcom_pull(task_ids=source, key=PUBLISHED) != own.path:
            raise BatchError(
                f"batch {batch} is not published in {self.dataset}, so that nothing of it is shown; clear "
                f"{source}, or use Publish anyway if its contract blocks it"
            )
        return own
