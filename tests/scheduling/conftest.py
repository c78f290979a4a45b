"""A running stack whose stages do nothing but tell that they ran."""

import secrets
import sys

import pytest
from old_rows import connected
from recording_stack import recording_stack

from tests.support.channels import Mailbox, Webhook
from tests.support.services import RecordingServices


@pytest.fixture(scope="session")
def services():
    """The API and frontend of the running stack."""
    servers = RecordingServices()
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def mailbox():
    """The mail server of the running stack."""
    box = Mailbox().start()
    yield box
    box.stop()


@pytest.fixture(scope="session")
def slack():
    """Slack, as the running stack sees it."""
    hook = Webhook()
    yield hook
    hook.close()


@pytest.fixture(scope="session")
def stack(home, services, mailbox, slack):
    """The running stack that most modules share."""
    settings = {
        "RANKALPHA_METRICS_TOKEN": secrets.token_hex(16),
        "RANKALPHA_FINISHED_WITHIN": "0.4",
        "RANKALPHA_ALERT_EMAIL": "duty@example.org",
        "RANKALPHA_TELL_GRADED": "true",
        "AIRFLOW_CONN_SMTP_DEFAULT": mailbox.connection,
        "AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT": slack.connection,
        "AIRFLOW__LOGGING__JSON_LOGS": "True",
        "LOG_FORMAT": "json",
    }
    with recording_stack(home, services, **settings) as running:
        yield running


@pytest.fixture(scope="session")
def database(stack):
    """Runs queries in the database of the running stack."""
    with connected(stack) as run:
        yield run


@pytest.fixture(scope="session")
def password(stack):
    """The password of a user of each role but Admin, named like the role and made as the README says."""
    word = f"-{secrets.token_urlsafe(12)}"  # what no command may take for an option
    for role in ("Viewer", "User", "Op"):
        name = role.lower()
        identity = f"--firstname {name} --lastname {name} --email {name}@localhost"
        command = f"users create --role {role} --username {name} --password={word} {identity}"
        done = stack.run(sys.executable, "scripts/stack.py", "airflow", *command.split())
        assert done.returncode == 0, done.stdout
    return word
