"""Gives stages versions as the orchestrator does, and remembers which of them are published."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from apps.api.batches import BatchFiles
from apps.api.grading import graded_from
from apps.api.versions import make
from apps.common.manifest import Reference
from tests.unit.apps.support.stage_process import Ended, result, run_stage

FIRST, SECOND, THIRD = (f"2026-11-{day}T06:00:00" for day in (20, 21, 22))
VOLUMES = {
    "prices": "prices",
    "scores": "prices",
    "sentiment": "company_reports",
    "evaluations": "evaluations",
}
MADE_BY = {"prices": "ingestion", "scores": "scorer", "sentiment": "sentiment", "evaluations": "evaluation"}
READS = {"prices": (), "scores": ("prices",), "sentiment": ("prices",), "evaluations": ("grades",)}
EARLIER = {"evaluations": ("grades", "evaluations")}  # others go on from their own
GIVEN = {  # few symbols, and a backtest of few sessions
    "INGESTION_SYMBOLS": "AAPL,JPM,KO,PG,XOM",
    "SENTIMENT_USE_CONSENSUS": "false",
    "EVALUATION_EVERY": "252",
}


@dataclass
class Orchestrator:
    """Runs the stages on one data root; `published` has path and checksum by dataset and batch."""

    data: Path
    published: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    started: int = 0  # versions so far

    def run(
        self, dataset: str, key: str = FIRST, name: str = "", keep: dict | None = None, **settings: str
    ) -> Ended:
        """Run the stage of a dataset; nothing is published."""
        self.started += 1
        stage = MADE_BY[dataset]
        name = name or f"{stage}-0a1b2c3d-{self.started}"
        given = {"RANKALPHA_OUTPUT": str(self.data / VOLUMES[dataset] / key / name)}
        for read in READS[dataset]:
            if version := self.published.get((read, key)):
                given[f"RANKALPHA_INPUT_{read.upper()}"] = str(self.data / version[0])
                given[f"RANKALPHA_INPUT_{read.upper()}_SHA256"] = version[1]
        for before in EARLIER.get(dataset, (dataset,)):
            earlier = sorted(
                (batch, path, checksum)
                for (of, batch), (path, checksum) in self.published.items()
                if of == before and batch < key
            )
            if earlier:
                listed = [[str(self.data / path), checksum] for _, path, checksum in reversed(earlier)]
                given[f"RANKALPHA_EARLIER_{before.upper()}"] = json.dumps(listed)
        if keep is not None:
            given["RANKALPHA_KEEP"] = json.dumps(keep)
        return run_stage(stage, self.data, key, **GIVEN | given | settings)

    def publish(self, dataset: str, key: str = FIRST, **settings: str) -> dict:
        """Run the stage of a dataset and publish its version; return what it has reported of it."""
        done = self.run(dataset, key, **settings)
        assert done.returncode == 0, done.stderr
        version = result(MADE_BY[dataset], self.data, key)["version"]
        self.published[dataset, key] = version["path"], version["sha256"]
        return version

    def grade(self, key: str = FIRST) -> None:
        """Publish grades of the published halves, as the API makes them."""
        self.started += 1
        halves = {of: self.published[of, key] for of in ("scores", "sentiment")}
        inputs = {of: Reference(path=path, sha256=checksum) for of, (path, checksum) in halves.items()}
        files = BatchFiles(self.data, key).reading(inputs)
        made = make(files, f"grading-0a1b2c3d-{self.started}", graded_from(files, 0.2)).version
        assert made
        self.published["grades", key] = made.path, made.sha256

    def folder(self, dataset: str, key: str = FIRST) -> Path:
        """Return the folder of a published version."""
        return self.data / self.published[dataset, key][0]


def content(folder: Path) -> dict[str, tuple[str, str]]:
    """Return mode and checksum of each file below a folder."""
    return {
        str(path.relative_to(folder)): (oct(path.stat().st_mode), sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def overwrite(path: Path, content: bytes) -> None:
    """Change a sealed file in place, as its owner can."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
    path.chmod(0o444)
