"""What a stage that takes part in versions is told: where to write, and which versions to read."""

import json
from collections.abc import Mapping
from typing import Any

from rankalpha.pipeline.versions import VERSION, Given
from rankalpha.stages.result import check_version
from rankalpha.stages.stage import Stage
from rankalpha.stages.storable import ResultError
from rankalpha.texts import shown

OUTPUT_FOLDER = "RANKALPHA_OUTPUT"
INPUT_FOLDER, CHECKSUM = "RANKALPHA_INPUT_", "_SHA256"


def environment(stage: Stage, given: Given, root: str, batch: str, version: str) -> dict[str, str]:
    """Return the variables of a stage whose container writes `version`; `root` is the root of its data."""
    env = {OUTPUT_FOLDER: f"{root}/{stage.output}/{batch}/{version}"}
    for dataset, read in given.inputs.items():
        key = f"{INPUT_FOLDER}{dataset.upper()}"
        env |= {key: f"{root}/{read.path}", f"{key}{CHECKSUM}": read.sha256}
    for dataset, versions in given.earlier.items():
        pairs = [[f"{root}/{version.path}", version.sha256] for version in versions]
        env |= {f"RANKALPHA_EARLIER_{dataset.upper()}": json.dumps(pairs)} if pairs else {}
    if given.keep is not None:
        env["RANKALPHA_KEEP"] = json.dumps(given.keep)
    return env


def folders_of(env: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return the folder that a stage is told to write, and those to read; empty when it is told none."""
    inputs = (key for key in env if key.startswith(INPUT_FOLDER) and not key.endswith(CHECKSUM))
    return env.get(OUTPUT_FOLDER, ""), [env[key] for key in inputs]


def inputs_in(env: Mapping[str, str], root: str) -> dict[str, dict[str, str]]:
    """Return the versions that a container was given to read, by dataset, from its environment."""
    return {
        key.removeprefix(INPUT_FOLDER).lower(): {
            "path": folder.removeprefix(f"{root}/"),
            "sha256": env.get(f"{key}{CHECKSUM}", ""),
        }
        for key, folder in env.items()
        if key.startswith(INPUT_FOLDER) and not key.endswith(CHECKSUM)
    }


def check_result(
    result: dict[str, Any] | None,
    output: str,
    root: str,
    inputs: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Raise ResultError when a result names another version than that of the folder `output`.

    The same for one that was made from others than those of `inputs`, which were given by dataset.
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
    for dataset, read in (inputs or {}).items():
        named = version["inputs"].get(dataset)
        if named is not None and {key: named[key] for key in ("path", "sha256")} != dict(read):
            raise ResultError(
                f"the stage's result names {named['path']} with SHA-256 {named['sha256']} as the {dataset} "
                f"that it has read, but the stage was given {read['path']} with SHA-256 {read['sha256']}; "
                "read that, and report it"
            )
