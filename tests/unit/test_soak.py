"""What the soak test calls growth without bound."""

from tests.soak.growth import ENOUGH, judged, table

DAYS = range(2 * ENOUGH)


def unbounded(name, values):
    """The quantities that are found to grow, with one that stays beside it."""
    found = judged([{name: value, "threads, api": 7} for value in values])
    assert len(found) == 2
    assert ("| GROWS |" in table(found)) == any(not growth.bounded for growth in found)
    return [growth.name for growth in found if not growth.bounded]


def test_what_grows_with_each_batch_has_no_bound():
    for name, each in (
        ("rows, dag_run", 10),
        ("memory, api, MB", 10),
        ("connections", 2),
        ("disk, airflow", 2),
    ):
        assert unbounded(name, [10 + each * day for day in DAYS]) == [name]


def test_what_comes_to_rest_has_a_bound_whatever_it_did_while_parts_were_killed():
    assert unbounded("rows, dag_run", [min(day, ENOUGH) * 100 for day in DAYS]) == []
    assert unbounded("memory, api, MB", [300 + 5 * (day % 2) for day in DAYS]) == []


def test_a_table_that_appears_late_is_seen():
    samples = [{"rows, log": 0} for _ in DAYS]
    for sample in samples[-ENOUGH // 2 :]:
        sample["rows, new"] = 1000
    assert [growth.name for growth in judged(samples) if not growth.bounded] == ["rows, new"]


def test_a_short_run_has_a_table_too():
    assert "| rows, log | 5 | 5 | +0 | bounded |" in table(judged([{"rows, log": 5}]))


def test_a_record_may_grow_with_each_batch_but_not_faster():
    assert unbounded("rows, asset_event", [7 * day for day in DAYS]) == []
    assert unbounded("rows, asset_event", [day**3 for day in DAYS]) == ["rows, asset_event"]
