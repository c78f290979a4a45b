"""A running stack of their own for what changes it as a whole: deaths, Variables, channels, what is pruned.

Its tests run one after another, in the default market; what needs a batch only is in tests/running.
"""

import secrets
from datetime import UTC, datetime

import pytest

from rankalpha.commands.readiness import wait_for_airflow
from rankalpha.pipeline.markets import read
from tests.alone.old_rows import connected
from tests.support.channels import Mailbox, Webhook
from tests.support.lane import Lane
from tests.support.recording_stack import recording_stack
from tests.support.services import RecordingServices
from tests.support.users import make_users
from tests.support.waiting import wait_for

COMPONENTS = ("scheduler", "triggerer", "dag_processor")


@pytest.fixture(scope="session")
def services():
    """The API and frontend of the stack."""
    with RecordingServices() as servers:
        yield servers


@pytest.fixture(scope="session")
def mailbox():
    """The mail server of the stack."""
    with Mailbox() as box:
        yield box


@pytest.fixture(scope="session")
def slack():
    """Slack, as the stack sees it."""
    with Webhook() as hook:
        yield hook


@pytest.fixture(scope="session")
def stack(home, shared, services, mailbox, slack):
    """The running stack."""
    settings = {
        "RANKALPHA_METRICS_TOKEN": secrets.token_hex(16),
        "RANKALPHA_FINISHED_WITHIN": "5",  # a busy machine meets it
        "RANKALPHA_STAGE_TIMEOUT": "30",  # a round of the watchdog ends within it
        "RANKALPHA_ALERT_EMAIL": "duty@example.org",
        "RANKALPHA_TELL_GRADED": "true",
        "AIRFLOW_CONN_SMTP_DEFAULT": mailbox.connection,
        "AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT": slack.connection,
        "AIRFLOW__LOGGING__JSON_LOGS": "True",
        "LOG_FORMAT": "json",
        # where nobody listens: nothing of the stack goes through a proxy
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9"),
    }
    with recording_stack(home / "alone", shared, services, **settings) as running:
        yield running


@pytest.fixture(scope="session")
def lane(stack, home, services):
    """The default market of the stack."""
    (market,) = read(home / "alone" / "markets.toml")
    return Lane(stack, market, services)


@pytest.fixture
def database(stack):
    """Runs queries in the database of the stack, which another test may have killed before this one."""
    with connected(stack) as run:
        yield run


@pytest.fixture(scope="session")
def password(stack):
    """The password of a user of each role but Admin, named like the role."""
    return make_users(stack.api)


@pytest.fixture(scope="module")
def well_again(stack):
    """What a module has killed is back before the next module: each component gives a new heartbeat."""
    yield
    wait_for_airflow(stack.api)
    now = datetime.now(UTC)

    def beating():
        health = stack.api.get("monitor/health")
        beats = {name: health[name][f"latest_{name}_heartbeat"] for name in COMPONENTS}
        return all(beat and datetime.fromisoformat(beat) > now for beat in beats.values())

    wait_for("new heartbeats", beating)
    stack.settle()
