"""What the containers can reach and change: no more than they need."""

import re

import pytest

from tests.support import intruder

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


SERVED = {"api:6080", "frontend:3000"}
PRIVATE = {
    "airflow-webserver": (8080,),
    "airflow-scheduler": (8793, 8974),  # logs and health
    "airflow-triggerer": (8794,),
    "postgres": (5432,),
    "docker-proxy": (2375,),
}


def names(places):
    """The hosts of addresses that are names."""
    return {host for host in (place.partition(":")[0] for place in places) if not re.match(r"[\d.]+$", host)}


@pytest.fixture(scope="module")
def private(stack, engine):
    """All ports of the stack but the services', by name and by address; in Airflow all of them answer."""
    ports = [(service, port) for service, found in PRIVATE.items() for port in found]
    by_name = {f"{service}:{port}" for service, port in ports}
    assert stack.reachable([*SERVED, *by_name], "airflow-scheduler") == SERVED | by_name
    return [address for service, port in ports for address in stack.addresses(engine, service, port)]


@pytest.fixture(scope="module")
def stage(stack, engine, batch, private):
    """What a stage finds that somebody has taken over."""
    (network,) = engine.inspect_network("rankalpha_net")["IPAM"]["Config"]
    published = [f"{network['Gateway']}:{url.rpartition(':')[2]}" for url in stack.urls.values()]
    return stack.intruder(batch, [*SERVED, *private, *published])


def test_a_stage_has_no_power_and_sees_no_packets(stage):
    assert stage["capabilities"] == intruder.NO_CAPABILITY
    assert stage["no_new_privileges"] == {"1"}
    assert stage["opened"] == {"plain"}


def test_a_stage_reaches_the_services_and_nothing_of_airflow(stage):
    assert stage["reached"] == SERVED
    assert names(stage["resolved"]) == names(SERVED)


def test_nothing_of_airflow_is_on_the_network_of_the_stages(inspected):
    on = {service: set(one["NetworkSettings"]["Networks"]) for service, one in inspected.items()}
    networks = {service: {name.removeprefix("rankalpha_") for name in found} for service, found in on.items()}
    assert networks == {
        "airflow-preflight": {"none"},
        "airflow-init": {"airflow"},
        "airflow-webserver": {"airflow", "airflow_api"},
        "airflow-scheduler": {"airflow", "docker_access", "services"},
        "airflow-dag-processor": {"airflow"},
        "airflow-triggerer": {"airflow", "docker_access"},
        "airflow-startup": {"airflow_api", "services"},
        "docker-proxy": {"docker_access"},
        "postgres": {"airflow"},
        "api": {"net", "services"},
        "frontend": {"net", "services"},
    }


@pytest.mark.parametrize("service", ["api", "frontend"])
def test_what_stages_reach_has_no_power_either(inspected, service):
    assert inspected[service]["HostConfig"]["CapDrop"] == ["ALL"]
    assert inspected[service]["HostConfig"]["ReadonlyRootfs"]


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
