"""What may go from a study's folder, with its size, and its removal. What a live process holds is never listed."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ablate.disk.lock import acquire, holder
from ablate.disk.name import check_key
from ablate.disk.read import bytes_under
from ablate.disk.whole import BESIDE, writing
from ablate.errors import AblateError
from ablate.result.store.writer import PARTIAL, REPLACED, forget_hash

if TYPE_CHECKING:
    from ablate.result.store.folder import Store

Kind = Literal["partial", "checkpoint", "log", "run", "weights"]


@dataclass(frozen=True)
class Garbage:
    """Something that may go. path: relative to the study's folder. reason: for people."""

    kind: Kind
    path: Path
    bytes: int
    reason: str


def garbage(store: "Store", *, weights: bool = False) -> tuple[Garbage, ...]:
    """All that may go: leftovers of dead processes, runs that the manifest no longer names, and, if asked, weights."""
    planned = _planned(store)
    found = [
        *_leftovers(store),
        *_of_runs_under_way(store, planned),
        *_unplanned(store, planned),
        *(_weights(store) if weights else ()),
    ]
    return tuple(Garbage(kind, path.relative_to(store.root), bytes_under(path), why) for kind, path, why in found)


def remove(store: "Store", listed: tuple[Garbage, ...]) -> None:
    """Removes what was listed; what a process has come to hold since is left alone. Raises AblateError."""
    for item in listed:
        path = store.root / item.path
        key = _key_of(path)
        held = acquire(store.lock_path(key)) if key else None
        if key and held is None:
            continue
        try:
            with writing(path):
                _remove(path, item.kind)
        finally:
            if held is not None:
                held.release()


_Found = tuple[Kind, Path, str]


def _planned(store: "Store") -> frozenset[str] | None:
    """Keys that the manifest names; None when there is no readable manifest, and then no run is called superfluous."""
    try:
        return store.manifest().run_keys
    except AblateError:
        return None


def _leftovers(store: "Store") -> list[_Found]:
    """Folders of writers, and files beside their place, whose process is dead."""
    found: list[_Found] = []
    for path in sorted(store.runs.glob(".*")):
        if path.name.startswith((PARTIAL, REPLACED)) and not _held(store, path):
            found.append(("partial", path, "its writer is dead"))
    found.extend(("partial", path, "its writer is dead") for path in sorted(store.root.glob(f"{BESIDE}*")))
    return found


def _of_runs_under_way(store: "Store", planned: frozenset[str] | None) -> list[_Found]:
    """Checkpoints and logs of runs that are in place, or that the manifest does not name."""
    found: list[_Found] = []
    folders: tuple[tuple[Kind, Path], ...] = (("checkpoint", store.root / "checkpoints"), ("log", store.logs))
    for kind, folder in folders:
        for path in sorted(folder.glob("*")):
            key = _key_of(path)
            if key is None or _held(store, path):
                continue
            if planned is not None and key not in planned:
                found.append((kind, path, "the manifest no longer names its run"))
            elif _is_done(store, key):
                found.append((kind, path, "its run is in place"))
    return found


def _unplanned(store: "Store", planned: frozenset[str] | None) -> list[_Found]:
    if planned is None:
        return []
    places = (store.runs / key for key in sorted(frozenset(store.keys_in_place()) - planned))
    return [("run", place, "the manifest no longer names it") for place in places if not _held(store, place)]


def _weights(store: "Store") -> list[_Found]:
    files = (path for path in map(store.weights, store.keys_in_place()) if path is not None)
    return [("weights", path, "asked for") for path in files if not _held(store, path.parent)]


def _remove(path: Path, kind: Kind) -> None:
    if kind == "weights":
        path.unlink(missing_ok=True)
        forget_hash(path.parent, path.name)
    elif kind == "run":  # first out of its place by one rename, so that no half of it is ever taken for a run
        aside = path.with_name(f"{PARTIAL}{path.name}-removed")
        os.rename(path, aside)
        shutil.rmtree(aside)
    elif path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _key_of(path: Path) -> str | None:
    """The run that a folder or file belongs to; None when it belongs to none."""
    name = path.parent.name if path.name == "weights.safetensors" else path.name
    for prefix in (PARTIAL, REPLACED):
        name = name.removeprefix(prefix)
    try:
        return check_key(name.partition("-")[0].partition(".")[0])
    except AblateError:
        return None


def _held(store: "Store", path: Path) -> bool:
    key = _key_of(path)
    return key is not None and holder(store.lock_path(key)) is not None


def _is_done(store: "Store", key: str) -> bool:
    try:
        return store.has(key) and store.record(key).state in ("done", "diverged")
    except AblateError:
        return False
