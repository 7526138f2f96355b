"""A study's folder: the manifest in `study.json`, one folder a run, and nothing whose only copy is an index.

    results/<study>/study.json          the manifest (StudyManifest)
                    records.jsonl       its runs as committed (`pack`), read where runs/ has none or an older one
                    runs/<key>/         {config,record,units,hashes}.json history.jsonl log.txt recipe.yaml
                                        weights.safetensors, predictions.csv of labels
                    checkpoints/<key>/  of a run under way, kept until the run is in place
                    logs/<key>.log      what a run under way prints
                    locks/<key>.lock    held by the live process that trains the run
                    jobs/               what was given to a cluster and has not been heard of since

Only names and relative paths are stored, so the folder may be moved to another machine. Whoever trains a run does so
under its lock:

    lock = store.lock_run(key)          # None: somebody alive trains it
    with lock, store.writer(key) as run:
        run.write_json("units.json", units)
        run.commit(record)
"""

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ablate.disk import lock as locks
from ablate.disk.absent import absent
from ablate.disk.lock import Holder, Lock
from ablate.disk.name import check_key, check_name
from ablate.disk.read import Json, parse_json, parse_lines, read_bytes, read_if_there, without_collection
from ablate.disk.whole import write_bytes, writing
from ablate.errors import AblateError
from ablate.result.manifest import StudyManifest
from ablate.result.measure.units import parse_scores
from ablate.result.record import RunRecord
from ablate.result.store.fault import Damaged, reason
from ablate.result.store.pack import EMPTY, PACK, Pack, PackedRun, packed_bytes, read_pack, scored_rows
from ablate.result.store.record_file import FORMAT, read_record
from ablate.result.store.verify import changed_files
from ablate.result.store.writer import PARTIAL, REPLACED, RunWriter

_URL = re.compile(r"[a-z][a-z0-9+.-]+:/")
"""`s3:/bucket`, as a path keeps it; a drive of Windows has one letter."""


@dataclass(frozen=True)
class Scan:
    """All runs of a study by key, in the order of their keys, and the damaged ones."""

    records: dict[str, RunRecord]
    damaged: tuple[Damaged, ...]


class Store:
    """One study's folder. Reading creates nothing; a folder that does not exist yet is an empty study."""

    def __init__(self, root: Path | str):
        self.root = Path(root)
        self.runs = self.root / "runs"
        self._runs, self._packed_at = str(self.runs), str(self.root / PACK)
        self._pack: tuple[tuple[int, int], Pack] = ((0, 0), EMPTY)
        self._scanned: dict[str, PackedRun | None] = {}  # by the last scan: None where the run was read in its folder

    @classmethod
    def of(cls, results: Path | str, study: str) -> "Store":
        """The folder of a study by name. Raises AblateError for a name that could lead elsewhere, and for a URL."""
        if _URL.match(str(results)):
            hint = "give a folder; on Ray, `execution: {ray: {storage: URL}}` says where nodes put what they make"
            raise AblateError("is a URL; a study needs locks and renames", where=str(results), hint=hint)
        return cls(Path(results) / check_name(study, "study name"))

    # ------------------------------------------------------------------ the manifest

    def exists(self) -> bool:
        """Whether the study has a manifest."""
        return (self.root / "study.json").is_file()

    def manifest(self) -> StudyManifest:
        """The manifest. Raises AblateError when it is absent or damaged."""
        path = self.root / "study.json"
        if not self.root.is_dir():
            raise absent(self.root, "there is no such study", "`ablate run RECIPE` makes one")
        try:
            manifest = StudyManifest.model_validate_json(read_bytes(path))
        except ValidationError as error:
            hint = (
                "remove this file: `ablate run RECIPE` writes the manifest again, and keeps the runs that are in place"
            )
            raise AblateError(f"is damaged: {reason(error)}", where=str(path), hint=hint) from None
        if manifest.format != FORMAT:
            raise AblateError(f"has format {manifest.format}; this version reads {FORMAT}", where=str(path))
        return manifest

    def write_manifest(self, manifest: StudyManifest) -> None:
        """Writes the manifest, whole or not at all."""
        with writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        write_bytes(self.root / "study.json", (manifest.model_dump_json(indent=1) + "\n").encode())

    # ------------------------------------------------------------------ reading runs

    def folder(self, key: str) -> Path:
        """Where a run lies or will lie."""
        return self.runs / check_key(key)

    def _file(self, key: str, name: str) -> str:
        """As text: of ten thousand runs, paths as objects took a sixth of a report's time."""
        return f"{self._runs}{os.sep}{check_key(key)}{os.sep}{name}"

    def has(self, key: str) -> bool:
        """Whether a run is in place or packed, whatever its state (it may still turn out damaged)."""
        return self._in_place(key) or key in self.packed.runs

    def keys(self) -> tuple[str, ...]:
        """The keys of all runs, those in place and the packed ones, sorted."""
        return tuple(sorted({*self.keys_in_place(), *self.packed.runs}))

    def keys_in_place(self) -> tuple[str, ...]:
        """The keys of all run folders, sorted."""
        if not self.runs.is_dir():
            return ()
        with writing(self.runs):
            return tuple(sorted(entry.name for entry in os.scandir(self.runs) if not entry.name.startswith(".")))

    def record(self, key: str) -> RunRecord:
        """One run's record: of the folder, or of the pack. Raises AblateError when it is absent or damaged."""
        packed = self.packed_run(key)
        return self._record_in_place(key) if packed is None else packed.record

    def _in_place(self, key: str) -> bool:
        return (self.folder(key) / "record.json").is_file()

    def _record_in_place(self, key: str, kind: type[RunRecord] = RunRecord) -> RunRecord:
        return read_record(f"{self._runs}{os.sep}{check_key(key)}", key, kind)

    def scan(self, kind: type[RunRecord] = RunRecord) -> Scan:
        """Every run's record; a damaged one is listed, never raised."""
        records, damaged = dict[str, RunRecord](), list[Damaged]()
        pack, self._scanned = self.packed, {}
        with without_collection():
            for key in sorted({*self.keys_in_place(), *pack.runs}):
                try:
                    packed = self.packed_run(key) if key in pack.runs else None
                    records[key] = self._record_in_place(key, kind) if packed is None else packed.record
                    self._scanned[key] = packed
                except AblateError as error:
                    damaged.append(Damaged(key, reason(error)))
        return Scan(records, (*damaged, *pack.faults))

    def records(self) -> tuple[RunRecord, ...]:
        """The records of all readable runs, in the order of their keys."""
        return tuple(self.scan().records.values())

    def units(self, key: str, *, scores_alone: bool = False) -> object:
        """Per-unit scores of a run; None when it has none. Raises AblateError when damaged. scores_alone: without what
        a report asks of one run only (`parse_scores`)."""
        if packed := self._as_scanned(key):
            return packed.units
        path = self._file(key, "units.json")
        data = read_if_there(path)
        return None if data is None else (parse_scores if scores_alone else parse_json)(data, path)

    def history(self, key: str, *, scored: bool = False) -> list[Json]:
        """The learning curve of a run, one dict a line; empty when it has none. Raises AblateError when damaged.
        scored: of the lines that hold a validation score; the others, most of them, are not parsed."""
        if packed := self._as_scanned(key):
            return [dict(row) for row in packed.history]
        path = self._file(key, "history.jsonl")
        rows = parse_lines(read_if_there(path) or b"", path, b'"validation"' if scored else b"")
        if not all(isinstance(row, dict) for row in rows):
            raise AblateError("is damaged: a line is no object", where=path)
        return rows

    def weights(self, key: str) -> Path | None:
        """The weights file of a run, if kept; a packed run has none."""
        path = self.folder(key) / "weights.safetensors"
        return path if path.is_file() and not path.is_symlink() and self.packed_run(key) is None else None

    # ------------------------------------------------------------------ the pack

    @property
    def packed(self) -> Pack:
        """The committed runs, read again whenever the file changed."""
        try:
            facts = os.stat(self._packed_at)
        except OSError:
            return EMPTY
        seen = (facts.st_mtime_ns, facts.st_size)
        if self._pack[0] != seen:
            self._pack = (seen, read_pack(self.root / PACK))
        return self._pack[1]

    def packed_run(self, key: str) -> PackedRun | None:
        """The committed run where it stands for the study: none is in place, or only a damaged or older one."""
        packed = self.packed.runs.get(key)
        if packed is None or not self._in_place(key):
            return packed
        try:
            own = self._record_in_place(key)
        except AblateError:
            return packed
        return None if own.state != "interrupted" and own.finished >= packed.record.finished else packed

    def _as_scanned(self, key: str) -> PackedRun | None:
        """The same as the last scan found it, so that a report asks no file twice."""
        return self._scanned[key] if key in self._scanned else self.packed_run(key)

    def pack(self) -> Path:
        """Writes the runs of the manifest that came to an end as one file to be committed. Raises AblateError."""
        wanted = self.manifest().run_keys
        ended = [
            record for key, record in self.scan().records.items() if key in wanted and record.state != "interrupted"
        ]
        runs = [PackedRun(one, self.units(one.key), scored_rows(self.history(one.key))) for one in ended]
        write_bytes(self.root / PACK, packed_bytes(runs))
        return self.root / PACK

    # ------------------------------------------------------------------ writing runs

    def lock_run(self, key: str) -> Lock | None:
        """The right to train a run, or None when a live process has it. Clears up after a holder that died writing."""
        held = locks.acquire(self.lock_path(key))
        if held is not None:
            self._recover(key)
        return held

    def holder(self, key: str) -> Holder | None:
        """Who trains a run right now; None when nobody alive does."""
        return locks.holder(self.lock_path(key))

    def lock_study(self, wait: float = 10.0) -> Lock:
        """The right to change the manifest, waited for (seconds). Raises AblateError naming the holder."""
        return locks.wait_for(self.root / "locks" / "study.lock", wait)

    def writer(self, key: str) -> RunWriter:
        """A run to be written: `with store.writer(key) as run: ...; run.commit(record)`."""
        return RunWriter(self.runs, check_key(key))

    def put(self, record: RunRecord, *, log: str = "", recipe: str = "", replace: bool = False) -> bool:
        """Keeps a record without scores, for example of a run that failed. False when one is there already."""
        with self.writer(record.key) as run:
            for name, text in (("log.txt", log), ("recipe.yaml", recipe)):
                if text:
                    run.write_text(name, text)
            return run.commit(record, replace=replace)

    # ------------------------------------------------------------------ runs under way

    def checkpoints(self, key: str) -> Path:
        """Where a run under way keeps its checkpoints (not created here)."""
        return self.root / "checkpoints" / check_key(key)

    def with_checkpoints(self) -> tuple[str, ...]:
        """The runs that have checkpoints, under way or left behind."""
        with suppress(OSError):
            return tuple(sorted(path.name for path in (self.root / "checkpoints").iterdir()))
        return ()

    def drop_checkpoints(self, key: str) -> None:
        """Removes a run's checkpoints, once the run is in place or is to start afresh."""
        shutil.rmtree(self.checkpoints(key), ignore_errors=True)

    def settle(self, key: str) -> None:
        """Removes what only a run under way needs, its checkpoints and its log, once it is in place."""
        self.drop_checkpoints(key)
        with suppress(OSError):
            self.log_path(key).unlink(missing_ok=True)

    def log_path(self, key: str) -> Path:
        """Where a run under way prints."""
        return self.logs / f"{check_key(key)}.log"

    @property
    def logs(self) -> Path:
        """The folder of the logs of runs under way."""
        return self.root / "logs"

    @property
    def tickets(self) -> Path:
        """The folder of what an engine keeps of jobs that it was given and that outlive the command."""
        return self.root / "jobs"

    def lock_path(self, key: str) -> Path:
        """The file whose lock the process that trains a run holds."""
        return self.root / "locks" / f"{check_key(key)}.lock"

    # ------------------------------------------------------------------ care

    def verify_hashes(self) -> tuple[Damaged, ...]:
        """The runs whose files are not the ones that were written."""
        faults = ((key, changed_files(self.runs / key)) for key in self.keys_in_place())
        return tuple(Damaged(key, "; ".join(wrong)) for key, wrong in faults if wrong)

    def _recover(self, key: str) -> None:
        """Under the run's lock: puts back a run whose replacement never came, and removes what a dead writer left."""
        aside, place = self.runs / (REPLACED + key), self.runs / key
        with suppress(OSError):
            if aside.is_dir() and not place.exists():
                os.rename(aside, place)
            shutil.rmtree(aside, ignore_errors=True)
            for left in self.runs.glob(f"{PARTIAL}{key}-*"):
                shutil.rmtree(left, ignore_errors=True)


__all__ = ["FORMAT", "Damaged", "Holder", "Lock", "RunWriter", "Scan", "Store"]
