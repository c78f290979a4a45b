"""Report known vulnerabilities of all locked dependencies, the images' and the tools': `make audit`.

It is a report and never fails: which of them matter, a person judges. pip-audit asks the package index's own
vulnerability service; where that does not answer, the report says that nothing was audited.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
FIRST = "build"  # a few packages only: they tell whether anybody answers
ALL = "dev"  # holds what every other file holds
SECONDS = {FIRST: 60, ALL: 300}
PIP_AUDIT = (sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner=off", "--timeout=10")

Dependency = dict[str, Any]  # as pip-audit reports it: name, version and vulns, or skip_reason


class NotAudited(Exception):
    """Nobody has said anything of the dependencies; the message says why."""


def audit(name: str) -> list[Dependency]:
    """Return what pip-audit says of requirements/<name>.txt; raises NotAudited."""
    command = (*PIP_AUDIT, "--requirement", str(REQUIREMENTS / f"{name}.txt"), "--format=json")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS[name], check=False)
        found: list[Dependency] = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired as error:
        raise NotAudited(f"no answer within {SECONDS[name]} s") from error
    except ValueError as error:
        raise NotAudited((done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]) from error
    if all("skip_reason" in one for one in found):
        raise NotAudited(f"it knows none of the packages of requirements/{name}.txt")
    return found


def report(found: Iterable[Dependency], files: dict[str, set[str]]) -> list[str]:
    """Return a line for each vulnerability, with the requirements files that hold the package, and a sum."""
    lines, known, skipped = [], 0, 0
    for one in found:
        if "skip_reason" in one:
            skipped += 1
            lines.append(f"{one['name']}: not audited")
            continue
        known += 1
        where = ", ".join(name for name, names in files.items() if one["name"] in names)
        for vulnerability in one["vulns"]:
            fixed = ", ".join(vulnerability["fix_versions"]) or "none yet"
            lines.append(f"{one['name']} {one['version']} ({where}): {vulnerability['id']}, fixed in {fixed}")
    vulnerable = len(lines) - skipped
    return [*lines, f"{known} packages audited, {vulnerable} vulnerabilities known, {skipped} not audited"]


def packages() -> dict[str, set[str]]:
    """Return the packages of each requirements file."""
    pinned = re.compile(r"^([a-z0-9.-]+)==", re.MULTILINE)
    return {file.stem: set(pinned.findall(file.read_text())) for file in sorted(REQUIREMENTS.glob("*.txt"))}


def main() -> None:
    """Print the report."""
    try:
        audit(FIRST)
        lines = report(audit(ALL), packages())
    except NotAudited as problem:
        lines = [f"NOTHING WAS AUDITED: the vulnerability service is not reachable from here ({problem})"]
    print("Dependency audit", *lines, sep="\n  ")


if __name__ == "__main__":
    main()
