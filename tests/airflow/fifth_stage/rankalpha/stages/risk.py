"""The risk container: how much each stock's price varies."""

from datetime import timedelta

from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage

RISK = Stage(
    name="risk",
    image="rankalpha_risk",
    command="python main.py",
    timeout=timedelta(minutes=30),
    docker=DockerOptions(volumes=(Volume("prices_data", "/data/prices"), Volume("risk_data", "/data/risk"))),
)
