"""What a stage that takes part in versions is told: where to write, and which versions to read."""

import json
from typing import Any

from rankalpha.pipeline.versions import VERSION, Given
from rankalpha.stages.result import check_version
from rankalpha.stages.stage import Stage
from rankalpha.stages.storable import ResultError
from rankalpha.texts import shown

OUTPUT_FOLDER = "RANKALPHA_OUTPUT"


def environment(stage: Stage, given: Given, root: str, batch: str, version: str) -> dict[str, str]:
    """Return the variables of a stage whose container writes `version`; `root` is the root of its data."""
    env = {OUTPUT_FOLDER: f"{root}/{stage.output}/{batch}/{version}"}
    for dataset, read in given.inputs.items():
        key = f"RANKALPHA_INPUT_{dataset.upper()}"
        env |= {key: f"{root}/{read.path}", f"{key}_SHA256": read.sha256}
    if given.earlier:
        pairs = [[f"{root}/{version.path}", version.sha256] for version in given.earlier]
        env[f"RANKALPHA_EARLIER_{stage.earlier.upper()}"] = json.dumps(pairs)
    if given.keep is not None:
        env["RANKALPHA_KEEP"] = json.dumps(given.keep)
    return env


def check_result(result: dict[str, Any] | None, output: str, root: str) -> None:
    """Raise ResultError when a result names another version than that of the folder `output`.

    `output` is empty for a container that was given no folder. A stage may write elsewhere, as an image does
    that knows nothing of versions; its result then names none.
    """
    version = (result or {}).get(VERSION)
    if version is None or (not output and not isinstance(version, dict)):
        return
    if not output:
        raise ResultError(
            f"the stage's result names version {shown(version.get('path'))}, but the stage was given no "
            f"{OUTPUT_FOLDER}; leave `version` out of the result"
        )
    check_version(version)
    if f"{root}/{version['path']}" != output:
        raise ResultError(
            f"the stage's result names version {shown(version['path'])}, but the stage was told to write "
            f"{output.removeprefix(root).lstrip('/')}; write to the folder in {OUTPUT_FOLDER}, and report it"
        )
