"""Which batches datasets have, as Airflow's database knows it."""

from collections.abc import Iterable

from airflow.models.asset import AssetEvent, AssetModel
from airflow.utils.session import create_session
from sqlalchemy import select


def name_of(asset_id: int) -> str | None:
    """Return the name of a dataset; None when there is none of that id."""
    with create_session() as session:
        return session.scalar(select(AssetModel.name).where(AssetModel.id == asset_id))


def lacking(datasets: Iterable[str], key: str) -> list[str]:
    """Return the datasets, of these names, in which a batch was never published."""
    names = list(datasets)
    events = select(AssetModel.name).join(AssetEvent, AssetEvent.asset_id == AssetModel.id)
    of_batch = events.where(AssetModel.name.in_(names), AssetEvent.partition_key == key).distinct()
    with create_session() as session:
        found = set(session.scalars(of_batch))
    return [name for name in names if name not in found]
