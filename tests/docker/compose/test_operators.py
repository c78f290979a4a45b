"""What operators look at, in the containers: health, lineage, the page and what it reads."""

import json
import re

import requests


def test_health_is_shown(stack, batch):
    done = stack.compose("exec", "--no-TTY", "airflow-scheduler", "health", "--json")
    shown = json.loads(done.stdout)
    assert done.returncode == int(not shown["well"]), "other tests have left what needs a person"
    (found,) = [one for one in shown["batches"] if one["batch"] == batch]
    assert {one["state"] for one in found["steps"]} == {"done"}
    ingestion = found["steps"][0]["container"]
    assert (ingestion["image"], ingestion["digest"][:7]) == ("rankalpha_ingestion", "sha256:")
    assert ingestion["memory_limit_bytes"] == 1024**3


def test_lineage_of_a_batch_names_each_image_by_its_digest(stack, batch):
    shown = stack.exec("airflow-scheduler", "lineage", "--batch", batch)
    for stage in ("ingestion", "scorer", "sentiment"):
        assert re.search(rf"image rankalpha_{stage}@sha256:[0-9a-f]{{64}}", shown)


def test_the_page_is_served_and_reads_with_its_readers_rights(stack, batch):
    url = f"{stack.urls['airflow']}/rankalpha"
    assert "frame-ancestors" in requests.get(f"{url}/page/", timeout=10).headers["Content-Security-Policy"]
    assert requests.get(f"{url}/overview", timeout=10).status_code == 401
    assert batch in [one["batch"] for one in stack.api.get("/rankalpha/overview", days=1)["batches"]]
    assert stack.api.get(f"/rankalpha/lineage/{batch}")["batch"] == batch


def test_there_are_no_metrics_without_a_token(stack):
    assert requests.get(f"{stack.urls['airflow']}/rankalpha/metrics", timeout=10).status_code == 404
