"""The order in which the graph is printed: that of the flow, one pipeline after another."""

from rankalpha.lineage.graph import in_flow


def dag(dag_id, reads=(), writes=()):
    return {"dag_id": dag_id, "reads": list(reads), "writes": list(writes)}


def pipeline(market=""):
    """A pipeline of four DAGs whose ids are in another order than they run."""
    return [
        dag(f"{market}d", writes=[f"{market}prices"]),
        dag(f"{market}c", [f"{market}prices"], [f"{market}scores"]),
        dag(f"{market}b", [f"{market}prices"], [f"{market}sentiment"]),
        dag(f"{market}a", [f"{market}scores", f"{market}sentiment"], [f"{market}grades"]),
    ]


def order(*dags):
    return [one["dag_id"] for one in in_flow(dags)]


def test_each_dag_stands_after_those_that_it_reads_from():
    expected = ["d", "b", "c", "a"]
    assert order(*pipeline()) == order(*reversed(pipeline())) == expected


def test_one_pipeline_stands_after_another_and_dags_without_datasets_are_last():
    found = order(dag("aside"), *pipeline("x-"), *pipeline())
    assert found == ["d", "b", "c", "a", "x-d", "x-b", "x-c", "x-a", "aside"]


def test_a_dag_whose_data_come_from_outside_begins_a_pipeline():
    assert order(dag("b", ["bought"], ["c"]), dag("a", ["c"])) == ["b", "a"]
