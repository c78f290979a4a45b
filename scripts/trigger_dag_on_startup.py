"""Run the pipeline when Airflow has started; the same as the command `rankalpha startup`."""

import sys

from rankalpha.commands.__main__ import main

if __name__ == "__main__":
    main(["startup", *sys.argv[1:]], prog_name="rankalpha")
