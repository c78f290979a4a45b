"""A running stack whose stages do nothing but record that they ran."""

from contextlib import contextmanager
from pathlib import Path

from rankalpha.stages import STAGES
from tests.support.checkout import far_away
from tests.support.embedded_stack import RunningStack
from tests.support.template import copy_database


def write_markets(file, tables):
    """Write a file of markets, keys by names; each runs by the clock half a day from now."""
    text = ""
    for name, keys in tables.items():
        lines = [f"{key} = {value!r}" for key, value in {"schedule": far_away(), **keys}.items()]
        text += "\n".join([f"[{name}]", *lines, ""])
    file.write_text(text)


def write_profile(folder, services_url):
    """Write a profile whose stages record that they ran, and whose services are at an address."""
    folder.mkdir(parents=True)
    script = Path(__file__).with_name("recording_stage.py")
    for stage in STAGES:
        command = f"{stage.key('COMMAND')}=python {script} {stage.name}\n"
        (folder / f"{stage.name}.env").write_text(command)
    (folder / "api.env").write_text(f"API_URL={services_url}\nFRONTEND_URL={services_url}\n")


def new_stack(folder, shared, **extra):
    """A stack that keeps itself in a folder, to be started; its database is migrated already."""
    copy_database(shared, folder / "state" / "postgres")
    settings = {
        "RANKALPHA_ENV_DIR": str(folder / "env"),
        "RANKALPHA_RETRIES": "1",
        "RANKALPHA_RETRY_DELAY": "1",
        "RANKALPHA_STAGE_TIMEOUT": "15",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",  # no test changes a DAG file
    }
    return RunningStack(folder / "state", **{**settings, **extra})


@contextmanager
def recording_stack(folder, shared, services, markets=None, **extra):
    """A running embedded stack with recording stages and services; its only market is the default one."""
    write_profile(folder / "env" / "local", services.url)
    write_markets(folder / "markets.toml", markets or {"default": {}})
    running = new_stack(folder, shared, RANKALPHA_MARKETS=str(folder / "markets.toml"), **extra)
    with running.started():
        yield running
