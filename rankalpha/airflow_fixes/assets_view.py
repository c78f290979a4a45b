"""Keeps the Assets view working while a run is queued.

In Airflow 3.3.0 to 3.3.2 the API answers 500 for the events of a dataset as long as a run that one of them
has started waits in the queue, because the model requires `start_date`. Airflow 3.4 has the fix, and nothing
is done there; remove this with 3.3.
"""

from datetime import datetime

from rankalpha.airflow_fixes.fix import AbsentError, Fix, part

MODULE = "airflow.api_fastapi.core_api.datamodels.assets"
MODELS = ("DagRunAssetReference", "AssetEventResponse", "AssetEventCollectionResponse")  # inner ones first


def apply() -> None:
    """Let the public API's asset events hold runs that have not started."""
    models = [part(MODULE, name) for name in MODELS]
    fields = models[0].model_fields
    if "start_date" not in fields:
        raise AbsentError(f"{MODULE}.{MODELS[0]} has no start_date")
    if fields["start_date"].annotation is datetime:
        fields["start_date"].annotation = datetime | None
        for model in models:
            model.model_rebuild(force=True)


FIX = Fix(
    name="assets_view",
    versions="3.3.0 to 3.3.2",
    issue="https://github.com/apache/airflow/issues/71360",
    apply=apply,
)
