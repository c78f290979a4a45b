"""The operator that has RankAlpha's API compare the grades of a variant with those of its champion."""

import json

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.logs import bind_batch
from rankalpha.operators.at_once import publish_at_once
from rankalpha.operators.given import versions_of
from rankalpha.operators.service import ServiceOperator
from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.challenger import Challenger
from rankalpha.settings import SettingsError
from rankalpha.stages.output import push_output
from rankalpha.stages.result import parse_result
from rankalpha.stages.storable import ResultError


class CompareOperator(ServiceOperator):
    """Have the service compare two datasets of grades, the champion's and then the challenger's.

    What it answers is the result. A dataset without versions has nothing to compare.
    """

    def execute(self, context: Context) -> None:
        """Name both versions to the service."""
        from rankalpha.operators.http_call import make  # noqa: PLC0415  slow to load, and not for parsing

        try:
            batch = self._batch(context)
            bind_batch(batch)
            versions = versions_of(context, self, batch)
            if missing := [asset.name for asset in self.consumes if asset.name not in versions]:
                raise BatchError(f"batch {batch} has no version in {' and '.join(missing)} to compare")
            champion, challenger = (versions[asset.name].reference for asset in self.consumes)
            more = {"champion": champion, "challenger": challenger, **self._variant()}
            answer = make(self.call, self.call.profile(), batch, self.log, more)
            result = parse_result(json.dumps(answer).encode(), batch)
        except (BatchError, SettingsError, ResultError) as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("Batch %s: %s answered %s", batch, self.call.name, answer)
        publish_at_once(self, context, push_output(context["ti"], batch, result))

    def _variant(self) -> dict[str, str]:
        """Return under which name the service goes on with its record of both."""
        market = self.call.market
        return {"variant": market.record} if isinstance(market, Challenger) else {}
