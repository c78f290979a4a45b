"""What all contenders run: four stages in containers, and the same limits for each."""

IMAGE = "python:3.13-slim-trixie"
SECONDS = {"ingestion": 1, "scorer": 1, "sentiment": 2, "grading": 1}  # as RankAlpha's stages depend
CPUS, MEMORY, PIDS = 1.0, "64m", 64
LABEL = "rankalpha.stage"  # of each contender's containers, as our runner labels them

STAGES_OF_A_RUN = 10  # in flight
LONG = "sleep 600"  # what a stage in flight runs; it is ended when it has been measured


def command(seconds: float) -> str:
    """Return a command that takes so long, then reports what our contracts need, where there is a result."""
    result = '{\\"rows\\": 1, \\"symbols\\": 1, \\"as_of\\": \\"$RANKALPHA_DATE\\"}'
    return f"sh -c 'sleep {seconds}; echo \"{result}\" > ${{RANKALPHA_RESULT:-/dev/null}}'"
