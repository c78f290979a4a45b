"""Who is on which network, as the compose files say; tests/compose asks a real engine."""

from pathlib import Path

import pytest
import yaml

from rankalpha.no_proxy import EXCEPTIONS

ROOT = Path(__file__).parents[4]
FILES = {
    "LocalExecutor": ("docker-compose.yml",),
    "Celery": ("docker-compose.yml", "docker-compose.celery.yml"),
}
SERVED = {"api", "frontend"}


class Loader(yaml.SafeLoader):
    """Reads Compose's own tags as what they are put before."""


Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))
Loader.add_constructor("!reset", lambda _loader, _node: None)


@pytest.fixture(params=FILES)
def members(request):
    """The services on each network; those of a later file win."""
    services = {}
    for file in FILES[request.param]:
        for name, service in yaml.load((ROOT / file).read_text(), Loader)["services"].items():
            services.setdefault(name, {}).update(service)
    assert "airflow-webserver" in services
    networks = {network for service in services.values() for network in service.get("networks", ())}
    return {
        network: {name for name, service in services.items() if network in service.get("networks", ())}
        for network in networks
    }


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_proxy_of_the_engine_keeps_nobody_from_the_reference_services(name):
    """Their health checks ask loopback, the page asks the API; Airflow's containers see to it themselves."""
    services = yaml.load((ROOT / "docker-compose.yml").read_text(), Loader)["services"]
    for key in EXCEPTIONS:
        assert {"127.0.0.1", "api"} <= set(services[name]["environment"][key].split(","))


def test_nothing_but_what_stages_call_is_on_their_network(members):
    assert members["rankalpha_net"] == SERVED


def test_airflows_own_traffic_is_on_networks_with_neither_stages_nor_what_they_call(members):
    others = SERVED | {"docker-proxy"}
    for network in ("airflow", "airflow_api"):
        assert "airflow-webserver" in members[network]
        assert not members[network] & others
    assert not members.get("queue", set()) & others


def test_the_proxy_shares_a_network_with_those_who_run_stages_only(members):
    assert [network for network in members if "docker-proxy" in members[network]] == ["docker_access"]
    runners = {"airflow-scheduler"} if "queue" not in members else {"airflow-worker"}
    assert members["docker_access"] == {"docker-proxy", "airflow-triggerer", *runners}
