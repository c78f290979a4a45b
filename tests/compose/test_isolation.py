"""What the containers can reach and change: no more than they need."""

import pytest

AIRFLOW = (
    "airflow-scheduler",
    "airflow-webserver",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-startup",
)


@pytest.fixture(scope="module")
def inspected(stack, engine):
    """What the engine says of each service's container."""
    found = map(engine.inspect_container, stack.ids())
    return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}


def test_a_stage_reaches_the_services_but_neither_the_database_nor_the_docker_engine(stack, engine):
    served = {"api:6080", "frontend:3000", "airflow-webserver:8080"}
    private = [*stack.addresses(engine, "postgres", 5432), *stack.addresses(engine, "docker-proxy", 2375)]
    assert len(private) == 4
    assert stack.reachable([*served, *private]) == served


def test_only_the_proxy_holds_the_socket_of_the_docker_engine(inspected):
    holders = {
        service
        for service, one in inspected.items()
        for mount in one["Mounts"]
        if "docker.sock" in mount["Source"]
    }
    assert holders == {"docker-proxy"}
    proxy = inspected["docker-proxy"]
    assert proxy["HostConfig"]["CapDrop"] == ["ALL"]
    assert list(proxy["NetworkSettings"]["Networks"]) == ["rankalpha_docker_access"]


def test_only_the_pages_are_published_and_only_on_this_machine(inspected):
    published = {
        (service, port["HostIp"])
        for service, one in inspected.items()
        for ports in (one["HostConfig"]["PortBindings"] or {}).values()
        for port in ports
    }
    assert published == {(service, "127.0.0.1") for service in ("airflow-webserver", "api", "frontend")}


@pytest.mark.parametrize("service", AIRFLOW)
def test_airflow_runs_as_nobody_special_and_cannot_change_its_code(stack, inspected, service):
    assert int(stack.exec(service, "id", "-u")) > 0
    folders = (
        "/opt/rankalpha/dags",
        "/opt/rankalpha/env/local",
        "/opt/venv/bin",
        "/var/lib/rankalpha/keys",
        "/",
    )
    script = 'for folder in "$@"; do (: > $folder/made) 2>/dev/null && echo $folder; done; echo done'
    assert stack.exec(service, "sh", "-c", script, "sh", "/tmp", *folders).split() == ["/tmp", "done"]
    host = inspected[service]["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not host["Privileged"]
    assert host["Memory"] > 0
