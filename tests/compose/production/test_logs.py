"""What the containers have printed: events, and no secrets."""

import json

import pytest

from tests.support.production import PASSWORDS, SECRETS

from .receiving import WEBHOOK

OURS = (  # but the workers: Celery begins with a banner
    *(f"airflow-{name}" for name in ("webserver", "scheduler", "dag-processor", "triggerer", "init")),
    *("airflow-startup", "docker-proxy", "api", "frontend"),
)
# of the scheduler's own small server; the second when it is asked before the scheduler has begun
HEALTH_CHECKS = ('"GET /health HTTP/1.1"', "code 503, message Service Unavailable")


def test_no_secret_is_in_what_the_containers_print_or_what_docker_tells_of_them(stack, engine, batch):
    told = repr([engine.inspect_container(name) for name in stack.ids()])
    assert "CeleryExecutor" in told
    assert "Following batch" in stack.logs()
    hidden = {**PASSWORDS, **SECRETS, "webhook": WEBHOOK}
    assert [name for name, secret in hidden.items() if secret in told + stack.logs()] == []


@pytest.mark.parametrize("service", OURS)
def test_each_line_that_a_container_prints_is_an_event(stack, batch, service):
    printed = [line for line in stack.logs(service).splitlines() if line]
    lines = [line for line in printed if not any(text in line for text in HEALTH_CHECKS)]
    assert lines
    assert [line for line in lines if not line.startswith("{") or "event" not in json.loads(line)] == []
