"""Versions: which bytes a batch of a dataset consists of.

A version is what one container, or one grading, has written for a batch: a folder below the root of the data
that nobody changes, sealed by the checksum of its manifest. The event that publishes a batch names its
version; no other version is ever read. A producer that takes no part in versions names none.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from rankalpha.pipeline.batch import BatchError, is_key
from rankalpha.texts import shown

VERSION = "version"  # of a result and of an event's extra
VERSIONS_KEY = "versions"  # in a dataset's state store: the version of each of the newest batches, by key
MAX_VERSIONS = 400  # a year of daily batches
PATH = re.compile(r"[A-Za-z0-9_]+/[0-9T:-]{19}/[A-Za-z0-9_-]+")  # <folder>/<batch>/<name>
CHECKSUM = re.compile(r"[0-9a-f]{64}")
LONGEST = 200  # characters that are kept of a path that cannot exist


@dataclass(frozen=True)
class Version:
    """A version: its folder below the root of the market's data, and the SHA-256 of its manifest.

    `inputs` are the paths of the versions that it was made from, by dataset of the default market.
    """

    path: str
    sha256: str
    inputs: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, value: Any, where: str) -> Self | None:
        """Return the version that an event or a store holds; None without one.

        Raises BatchError, which names `where`, for one that no stage has written like that.
        """
        if not isinstance(value, Mapping):  # an image of your own may call another thing its version
            return None
        path, sha256 = str(value.get("path")), str(value.get("sha256"))
        if not PATH.fullmatch(path) or not CHECKSUM.fullmatch(sha256):
            raise BatchError(
                f"{where} names a version that cannot exist: path {shown(path)}, sha256 {shown(sha256)}; "
                "publish the batch again, or one of its versions with publish-version"
            )
        return cls(path, sha256, paths_of(value))

    @property
    def reference(self) -> dict[str, str]:
        """The version as a request names it."""
        return {"path": self.path, "sha256": self.sha256}

    @property
    def stored(self) -> dict[str, Any]:
        """The version as a state store keeps it."""
        return {**self.reference, "inputs": dict(self.inputs)}


@dataclass(frozen=True)
class Given:
    """The versions that a stage or a call is given.

    `inputs` are by dataset of the default market; a dataset is missing when its batch has no version.
    `earlier` are those of older batches by dataset, newest first. `keep` is what the versions of a folder are
    pruned by, see `kept`.
    """

    inputs: Mapping[str, Version] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[Version]] = field(default_factory=dict)
    keep: Mapping[str, Any] | None = None


def paths_of(version: Mapping[str, Any]) -> dict[str, str]:
    """Return the paths of what a version was made from, by dataset, of what an event or a store holds."""
    given: Any = version.get("inputs")
    read = given.items() if isinstance(given, Mapping) else ()
    # an event has their checksums, too
    paths = {name: each.get("path") if isinstance(each, Mapping) else each for name, each in read}
    return {str(name): str(path) for name, path in paths.items()}


def listed(versions: Mapping[str, Any], batch: str, version: Any) -> dict[str, Any]:
    """Return what a state store keeps after `batch` was published with `version`, the value of its event."""
    updated = {key: value for key, value in versions.items() if key != batch}
    if is_key(batch) and isinstance(version, Mapping):
        try:
            found = Version.of(version, batch)
        except BatchError:  # its reader refuses it, and says so
            found = None
        refused = {key: str(version.get(key))[:LONGEST] for key in ("path", "sha256")}
        updated[batch] = found.stored if found else refused
    return dict(sorted(updated.items(), reverse=True)[:MAX_VERSIONS])


def earlier_versions(versions: Mapping[str, Any], batch: str, most: int) -> tuple[Version, ...]:
    """Return the versions of the newest batches before `batch`, newest first.

    Those that cannot exist are left out.
    """
    found = []
    for key in sorted((key for key in versions if key < batch and is_key(key)), reverse=True)[:most]:
        try:
            version = Version.of(versions[key], key)
        except BatchError:
            continue
        if version:
            found.append(version)
    return tuple(dict.fromkeys(found))  # one may serve several batches


def kept(folder: str, stores: Sequence[Mapping[str, Any]], most: int) -> dict[str, Any]:
    """Return {"since": batch, "versions": [path]}: which versions below `folder` are published or made from.

    `carried` has the batches whose versions newer batches use, with the newest of these; it is left out when
    empty. `stores` are those of all datasets of the market. Nothing is said about batches before `since`,
    which is empty when the list is whole.
    """
    keys = sorted({key for store in stores for key in store}, reverse=True)
    newest = keys[:most]
    used = [
        (key, str(path))
        for key in reversed(newest)
        for store in stores
        if isinstance(value := store.get(key), Mapping)
        for path in (value.get("path"), *(value.get("inputs") or {}).values())
        if str(path).startswith(f"{folder}/")
    ]
    carried = {maker: key for key, path in used if (maker := path.split("/")[1]) != key}
    return {
        "since": newest[-1] if len(keys) > most else "",
        "versions": sorted({path for _, path in used}),
        **({"carried": carried} if carried else {}),
    }
