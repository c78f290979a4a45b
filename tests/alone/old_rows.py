"""Lets a running stack's batches be older than they are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import create_engine, text

from rankalpha.pipeline.batch import BATCHES_KEY

OLD = timedelta(days=100)


@contextmanager
def connected(stack) -> Iterator:
    """A function that runs a query in the stack's database and commits it."""
    from rankalpha.stack.embedded.postgres import start

    engine = create_engine(start(stack.state / "postgres").get_uri(driver="psycopg2"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda query, **values: connection.execute(text(query), values)
    engine.dispose()


def backdate(database, batch):
    """Let the runs of a batch, and all that Airflow knows of them, be older than what is kept."""
    runs = "(SELECT run_id FROM dag_run WHERE partition_key = :batch)"
    for table, column in (
        ("task_instance", "start_date"),
        ("xcom", "timestamp"),
        ("log", "dttm"),
        ("dag_run", "start_date"),
    ):
        query = f"UPDATE {table} SET {column} = {column} - :age WHERE run_id IN {runs}"
        assert database(query, age=OLD, batch=batch).rowcount
    for table, column in (("asset_event", "timestamp"), ("asset_partition_dag_run", "created_at")):
        query = f"UPDATE {table} SET {column} = {column} - :age WHERE partition_key = :batch"
        assert database(query, age=OLD, batch=batch).rowcount


def batches(database, dataset):
    """The batches of a dataset that tasks are told of."""
    store = "asset_state_store JOIN asset ON asset.id = asset_id"
    query = f"SELECT value FROM {store} WHERE key = :key AND name = :name"
    return json.loads(database(query, key=BATCHES_KEY, name=dataset).scalar_one())
