"""A running stack whose stages do nothing but tell that they ran."""

from contextlib import contextmanager
from pathlib import Path

from rankalpha.stages import STAGES
from tests.support.stack import RunningStack


@contextmanager
def recording_stack(folder, services, **extra):
    """A running embedded stack with recording stages and services, which keeps itself in a folder."""
    profile = folder / "env" / "local"
    profile.mkdir(parents=True)
    script = Path(__file__).with_name("recording_stage.py")
    for stage in STAGES:
        command = f"{stage.key('COMMAND')}=python {script} {stage.name}\n"
        (profile / f"{stage.name}.env").write_text(command)
    (profile / "api.env").write_text(f"API_URL={services.url}\nFRONTEND_URL={services.url}\n")
    running = RunningStack(
        folder / "state",
        RANKALPHA_ENV_DIR=str(profile.parent),
        RANKALPHA_RETRIES="1",
        RANKALPHA_RETRY_DELAY="1",
        RANKALPHA_STAGE_TIMEOUT="15",
        **extra,
    )
    try:
        started = running.stack("start")
        assert started.returncode == 0, started.stdout
        from rankalpha.startup import wait_for_airflow

        wait_for_airflow(running.api)
        yield running
    finally:
        running.stack("clean")
