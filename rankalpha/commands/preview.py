"""What RankAlpha's API does for a plan: it grades versions without writing, and removes those of the plan."""

import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rankalpha.commands.past import Ended
from rankalpha.lineage.service import ServiceError, ask
from rankalpha.pipeline.versions import Version
from rankalpha.settings import settings

PREVIEW, PLANNED = "/api/v1/grading/preview", "/api/v1/planned"


class Previews:
    """The API at `url`, for a market; `folder` is empty for the default one. Raises ServiceError."""

    def __init__(self, url: str, folder: str) -> None:
        self._url = url
        self._market = {"market": folder} if folder else {}

    def compared(
        self, key: str, champion: Version, inputs: Mapping[str, Version], weight: float | None
    ) -> dict[str, Any]:
        """Have versions of a batch graded, and the grades compared with the champion's.

        Without a `weight` it is the champion's. Raises Ended for versions that cannot be graded.
        """
        body = {
            "batch": key,
            **self._market,
            "champion": champion.reference,
            "inputs": {name: version.reference for name, version in inputs.items()},
            **({} if weight is None else {"sentiment_weight": weight}),
        }
        try:
            return ask("POST", f"{self._url}{PREVIEW}", json=body)
        except ServiceError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            raise Ended("failed", str(error)) from error

    def discard(self, place: str) -> None:
        """Remove a version of a plan, if it is there."""
        ask("DELETE", f"{self._url}{PLANNED}", params={"path": place, **self._market})

    def clean(self, place: str) -> None:
        """Do so at the end, when a failure is no more than reported."""
        try:
            self.discard(place)
        except ServiceError as error:
            days = settings().keep_unpublished_days
            print(f"{place} stays, and is removed in {days} days: {error}", file=sys.stderr)
