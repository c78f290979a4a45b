"""Keeps the Assets view of Airflow 3.3.0 to 3.3.2 working while a run is queued.

Airflow issue 71360: its API answers 500 for the events of a dataset as long as a run that one of them has
started waits in the queue, because it takes `start_date` for always set. Airflow 3.4 has the fix,
and nothing is done there; remove this with 3.3.
"""

from datetime import datetime


def accept_queued_runs() -> None:
    """Let the public API's asset events hold runs that have not started."""
    from airflow.api_fastapi.core_api.datamodels import assets  # noqa: PLC0415  heavy, and only the API server's

    start_date = assets.DagRunAssetReference.model_fields["start_date"]
    if start_date.annotation is datetime:
        start_date.annotation = datetime | None
        for model in (
            assets.DagRunAssetReference,
            assets.AssetEventResponse,
            assets.AssetEventCollectionResponse,
        ):
            model.model_rebuild(force=True)
