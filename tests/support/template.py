"""A migrated PostgreSQL, made once for all processes of a test run, to be copied."""

import os
import subprocess
import sys

from filelock import FileLock

MAKE = """
import os, sys
from pathlib import Path
from rankalpha.stack.embedded.postgres import start
server = start(Path(sys.argv[1]))
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = server.get_uri(driver="psycopg2")
try:
    from rankalpha.stack.prepare import prepare
    prepare()
finally:
    server.stop()
"""


def copy_database(shared, target):
    """Copy the data folder to `target`, which a stack, or a PostgreSQL alone, then uses."""
    made = shared / "template"
    with FileLock(shared / "template.lock"):
        if not made.exists():
            making = shared / "template.new"
            home = {"AIRFLOW_HOME": str(shared / "template.home")}
            done = subprocess.run(
                [sys.executable, "-c", MAKE, making],
                env=os.environ | home,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert done.returncode == 0, done.stdout
            making.rename(made)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", made, target], check=True)  # with its owner, who need not be us
