"""RankAlpha's API as far as versions go: it grades what it is told to, and records what it has read."""

import hashlib
import json
import sys
import uuid
from contextlib import contextmanager

from apps.common.versions import Version
from rankalpha.stages import stages_of
from tests.support.checkout import ROOT
from tests.support.http_server import local_server

COMMAND = (
    f"{sys.executable} -S {ROOT / 'tests' / 'support' / 'version_stage.py'}"  # and the name of the stage
)


@contextmanager
def taking_part(lane, profile):
    """Let the stages and services of a lane take part in versions from here on; gives the recording API."""
    lane.data.mkdir(parents=True, exist_ok=True)
    made = VersionApi(lane.data)
    for stage in stages_of(lane.market):
        (profile / f"{stage.name}.env").write_text(f"{stage.key('COMMAND')}={COMMAND} {stage.name}\n")
    with made.serve() as (url, _):
        (profile / "api.env").write_text(f"API_URL={url}\nFRONTEND_URL={url}\n")
        yield made


def digest(content):
    return hashlib.sha256(content).hexdigest()


class VersionApi:
    """Answers for the data below `root`; its versions of grades are those of `version_stage.py`.

    `shown` has the path of the version that is shown, by batch; `rows` is what the next gradings report.
    """

    def __init__(self, root):
        self.root, self.shown, self.rows = root, {}, 1

    def serve(self):
        """Serve in a `with` block, which is given the address."""
        return local_server(self)

    def __call__(self, request):
        if request.path == "/api/v1/verify":
            return 200, self._verify({name: values[0] for name, values in request.query.items()})
        said = request.json()
        if request.path == "/api/v1/grading/publish":
            self.shown[said["batch"]] = said["version"]["path"]
        answer = {}
        if request.path == "/api/v1/grading/refresh":
            answer = self._grade(said)
        elif request.path == "/api/v1/grading/compare":
            answer = {"rows": 1, "symbols": 1, "as_of": said["batch"][:10], "details": {"changed": 0}}
        return 200, {"batch": said["batch"], **answer}

    def _grade(self, said):
        path, read = f"grades/{said['batch']}/{said['version']}", {}
        folder = self.root / path
        for dataset, given in said["inputs"].items():
            content = (self.root / given["path"] / "data").read_bytes()
            read[dataset] = {"path": given["path"], "content": digest(content)}
        content = json.dumps(["grading", uuid.uuid4().hex, read]).encode()
        files = {"data": {"size": len(content), "sha256": digest(content)}}
        about = {"stage": "grading", "batch": said["batch"], "version": said["version"]}
        manifest = json.dumps({**about, "files": files, "inputs": said["inputs"]}).encode()
        if not folder.is_dir():  # else an attempt asks again, which gets what there is
            folder.mkdir(parents=True)
            (folder / "data").write_bytes(content)
            (folder / "manifest.json").write_bytes(manifest)
            with (self.root / "journal").open("a") as journal:
                journal.write(json.dumps({"version": path, "read": read}) + "\n")
        manifest = (folder / "manifest.json").read_bytes()
        version = {"path": path, "sha256": digest(manifest), **json.loads(manifest)}
        named = {key: version[key] for key in ("path", "sha256", "files", "inputs")}
        return {"graded": self.rows, "as_of": said["batch"][:10], "version": named}

    def _verify(self, asked):
        version = Version(self.root / asked["path"], asked["sha256"])
        problems = version.problems()
        if asked.get("shown") and self.shown.get(version.batch) != asked["path"]:
            problems.append(f"{asked['path']} is not what is shown")
        return {"ok": not problems, "problems": problems}
