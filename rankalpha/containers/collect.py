"""What is collected of a stage's container that has ended."""

from typing import Any

from rankalpha import masking
from rankalpha.containers.durable import check_exit
from rankalpha.containers.follow import End
from rankalpha.runners.base import Runner
from rankalpha.runners.container import Container
from rankalpha.runners.failures import StageFailed
from rankalpha.stages.given import OUTPUT_FOLDER, check_result, inputs_in
from rankalpha.stages.result import parse_result
from rankalpha.stages.stage import Stage


def collected(
    engine: Runner, stage: Stage, container: Container, end: End, log: Any
) -> dict[str, Any] | None:
    """Return the result that a stage has reported for the batch of its container; None without one.

    Raises StageFailed for a stage that has failed, and ResultError for a malformed result.
    """
    if end == "overdue":
        raise StageFailed(f"stage {stage.name} was stopped at its time limit of {stage.time_limit}")
    env = engine.environment(container.id)
    masking.mask(env, stage.secrets)  # in this process too
    tail = [masking.masked(line) for line in engine.tail(container.id)]
    if hint := check_exit(stage, container, tail):
        log.warning(hint)
    result = parse_result(engine.result(container.id, stage.name), container.labels["rankalpha.batch"])
    root = engine.data_root(stage)
    check_result(result, env.get(OUTPUT_FOLDER, ""), root, inputs_in(env, root))
    return result
