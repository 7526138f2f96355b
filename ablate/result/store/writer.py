"""One run being written: beside its place, hashed, synced, moved in by one rename. Nothing half-written is seen."""

import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from ablate.disk.digest import file_hash
from ablate.disk.name import check_name
from ablate.disk.read import Json, json_text, read_json
from ablate.disk.whole import move_folder, sync_file, sync_folder, write_json, writing
from ablate.errors import AblateError
from ablate.result.picture import picture_folder
from ablate.result.record import RunRecord

PARTIAL = ".partial-"
"""Folder of a run that is being written: `.partial-<key>-<pid>`."""
REPLACED = ".replaced-"
"""Folder of a run that makes room for its successor: `.replaced-<key>`."""
HASHES = "hashes.json"


class RunWriter:
    """Gather a run's files in `folder`, then `commit` its record. Left without a commit, the folder is removed.

    The caller holds the run's lock (`Store.lock_run`), so that no other process writes the same run.
    """

    def __init__(self, runs: Path, key: str):
        self.place = runs / key
        self.folder = runs / f"{PARTIAL}{key}-{os.getpid()}"
        self._key = key

    def write_json(self, name: str, value: object) -> None:
        """For example `units.json`. A number that is not finite is written as null, since others cannot read it."""
        self._write(name, json_text(_finite(value), self.folder / name))

    def write_lines(self, name: str, rows: Iterable[Json]) -> None:
        """One JSON object a line: `history.jsonl`. A number that is not finite is written as null."""
        self._write(name, "".join(json.dumps(_finite(row), allow_nan=False) + "\n" for row in rows))

    def write_text(self, name: str, text: str) -> None:
        """For example `log.txt`; what cannot be encoded is replaced."""
        self._write(name, text)

    def adopt(self, source: Path, name: str) -> None:
        """Copies a file into the run, for example the weights of the best step."""
        with writing(self.folder / name):
            shutil.copyfile(source, self.folder / check_name(name, "file name"))

    def commit(self, record: RunRecord, *, replace: bool = False) -> bool:
        """Moves the run into place. False, and nothing changed, when a run is there already, unless `replace`."""
        if record.key != self._key:
            raise AblateError(f"the record of run {record.key} cannot be kept as run {self._key}")
        self.write_json("config.json", record.config)
        self._write("record.json", record.model_dump_json(indent=1) + "\n")
        write_hashes(self.folder)
        return self.move_in(replace=replace)

    def move_in(self, *, replace: bool = False) -> bool:
        """The same for a run that was written elsewhere and whose files, `hashes.json` with them, are in `folder`."""
        with writing(self.folder):
            for file in self.folder.iterdir():
                sync_file(file)
            sync_folder(self.folder)
        return self._move(replace)

    def _move(self, replace: bool) -> bool:
        aside = self.place.with_name(REPLACED + self._key)
        with writing(self.place):
            if self.place.exists():
                if not replace:
                    return False
                shutil.rmtree(aside, ignore_errors=True)
                os.rename(self.place, aside)  # a crash between the renames is put right by `Store.lock_run`
            try:
                move_folder(self.folder, self.place)
            except OSError:
                if aside.exists():
                    os.rename(aside, self.place)
                raise
            shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(picture_folder(self.place.parents[1], self._key), ignore_errors=True)  # of the run before
        return True

    def _write(self, name: str, text: str) -> None:
        path = self.folder / check_name(name, "file name")
        with writing(path):
            path.write_bytes(text.encode("utf-8", "replace"))

    def __enter__(self) -> "RunWriter":
        with writing(self.folder):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            shutil.rmtree(self.folder, ignore_errors=True)
        if isinstance(error, OSError):
            with writing(self.folder):
                raise error


def write_hashes(folder: Path) -> None:
    """`hashes.json`: size and blake2b of every other file of a run."""
    with writing(folder / HASHES):
        files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != HASHES)
        hashes = {path.name: {"bytes": path.stat().st_size, "blake2b": file_hash(path)} for path in files}
    write_json(folder / HASHES, hashes)


def forget_hash(folder: Path, name: str) -> None:
    """Takes one file out of `hashes.json`; the others keep the hashes they were written with."""
    path = folder / HASHES
    if path.exists() and isinstance(hashes := read_json(path), dict) and hashes.pop(name, None) is not None:
        write_json(path, hashes)


def _finite(value: object) -> object:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
