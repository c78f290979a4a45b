"""Prices of one's own in the containers, by the commands of the guide."""

import csv
import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest
import requests

from apps.common.exchange import exchange
from tests.support.checkout import ROOT
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.timeout(900), pytest.mark.story]
GUIDE = ROOT / "docs" / "guides" / "prices.md"
SETTINGS = {"ingestion": "INGESTION_SOURCE=csv", "sentiment": "SENTIMENT_HEADLINES=none"}
SYMBOLS = {"OWN.DE": 0.001, "MINE": -0.0005, "OURS": 0.0002}  # and their daily returns


def weekdays(number):
    """The newest weekdays, oldest first, until the newest session that has closed."""
    newest = exchange("XNYS").last_closed(datetime.now(UTC))
    days = [newest - timedelta(days=back) for back in range(2 * number)]
    return sorted([day for day in days if day.weekday() < 5][:number])


def write(folder, days):
    """Write a file for each symbol, as Yahoo exports them."""
    folder.mkdir(exist_ok=True)
    for symbol, daily in SYMBOLS.items():
        with (folder / f"{symbol}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["Date", "Close", "Adj Close"])
            rows.writerows([day, "7", f"{100 * (1 + daily) ** i:.4f}"] for i, day in enumerate(days))


@pytest.fixture(scope="module")
def commands():
    """The commands of the guide's section on containers, but for the one that follows a log for ever."""
    section = GUIDE.read_text().split("## The same in containers\n")[1].split("\n## ")[0]
    found = re.findall(r"(?m)^ *\$ (.+)$", section)
    assert found.pop() == "docker logs -f airflow-startup"
    return found


@pytest.fixture(scope="module")
def fresh(local):
    """The stack before its first start, as the guide sets it; a new one for the next module."""
    local.down()
    shutil.rmtree(local.checkout / "csv", ignore_errors=True)
    local.env["COMPOSE_FILE"] = ":".join(map(str, local.files))
    files = {name: local.checkout / "env" / "local" / f"{name}.env" for name in SETTINGS}
    before = {name: file.read_text() for name, file in files.items()}
    for name, file in files.items():
        key, _, _ = SETTINGS[name].partition("=")
        file.write_text(re.sub(rf"(?m)^{key}=.*$", SETTINGS[name], before[name]))
        assert SETTINGS[name] in file.read_text().splitlines()
    yield local
    for name, file in files.items():
        file.write_text(before[name])
    del local.env["COMPOSE_FILE"]
    local.down()


def run(stack, command):
    done = stack.run("sh", "-c", command)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_guide_leads_to_grades_of_files_of_ones_own(fresh, commands):
    days = weekdays(260)
    write(fresh.checkout / "csv", days[:-1])
    for command in commands:
        run(fresh, command)
    graded = re.compile(r"Batch (\S+) is graded and the frontend is notified")
    batch = wait_for("the first batch", lambda: graded.search(fresh.logs("airflow-startup")), 180)[1]
    grades = requests.get(f"{fresh.urls['api']}/api/v1/grading/grades", timeout=10).json()
    assert (grades["batch"], {row["symbol"] for row in grades["grades"]}) == (batch, set(SYMBOLS))
    (event,) = fresh.events("prices")
    assert event["extra"]["details"]["source"] == "csv"
    assert event["extra"]["as_of"] == days[-2].isoformat()


def test_files_that_are_copied_again_reach_the_next_batch(fresh, commands):
    days = weekdays(260)
    write(fresh.checkout / "csv", days)
    (copy,) = [command for command in commands if command.startswith("tar ")]
    run(fresh, copy)
    fresh.trigger("rankalpha_ingestion")
    fresh.settle()
    event = fresh.events("prices")[-1]
    assert event["extra"]["as_of"] == days[-1].isoformat()
    assert event["extra"]["details"]["new_rows"] == len(SYMBOLS)
