"""A study's runs in one committed file, `records.jsonl`: what a report needs of them, so that a clone answers at once.

    {"history": [...], "record": {...}, "units": {...}}      one run a line, sorted by variant, seed and key

Left out: weights, logs, the steps between two scores in the history, each unit's gain in nats, which follows from its
value and weight and would be half of the bytes of a study of many trials, and each unit's intervals where a stimulus
was repeated, which would be two thirds of theirs. Plain lines, since git compresses them and a reader can search them;
the bytes follow from the runs alone.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ablate.disk.name import check_key
from ablate.disk.read import Json, json_line, parse_json, read_bytes
from ablate.errors import AblateError
from ablate.result.measure.repeats import read_repeats
from ablate.result.record import RunRecord
from ablate.result.store.fault import Damaged, reason

PACK = "records.jsonl"


@dataclass(frozen=True)
class PackedRun:
    """One line of the file. units: as in `units.json`. history: the rows of `history.jsonl` that have a score."""

    record: RunRecord
    units: object
    history: tuple[Json, ...]


@dataclass(frozen=True)
class Pack:
    """All runs of the file by key, and the lines that cannot be read."""

    runs: Mapping[str, PackedRun]
    faults: tuple[Damaged, ...]


EMPTY = Pack({}, ())


def scored_rows(history: Iterable[Json]) -> tuple[Json, ...]:
    """The rows of a learning curve that hold a validation score: the points that are drawn and judged."""
    return tuple(row for row in history if row.get("validation") is not None)


def packed_bytes(runs: Iterable[PackedRun]) -> bytes:
    """The file's content, the same for the same runs in any order. Raises AblateError for what is no JSON."""
    ordered = sorted(runs, key=lambda run: (run.record.variant, run.record.seed, run.record.key))
    return b"".join(json_line(_plain(run), Path(PACK)) for run in ordered)


def read_pack(path: Path) -> Pack:
    """The runs of a file; a line that cannot be read is listed, never raised. An absent file holds none."""
    if not path.exists():
        return EMPTY
    runs: dict[str, PackedRun] = {}
    faults: list[Damaged] = []
    for number, line in enumerate(read_bytes(path).splitlines(), 1):
        try:
            run = _run(parse_json(line, path))
        except (AblateError, ValidationError, KeyError, TypeError, ValueError) as error:
            faults.append(Damaged(f"{PACK}:{number}", f"is damaged: {reason(error)}"))
        else:
            runs[run.record.key] = run
    return Pack(runs, tuple(faults))


def _plain(run: PackedRun) -> Json:
    return {"history": run.history, "record": run.record.model_dump(mode="json"), "units": _shortened(run.units)}


def _shortened(units: object) -> object:
    """`units.json` as it is packed; what is no table of sessions is left as it is."""
    if not isinstance(units, dict) or not isinstance(units.get("sessions"), list):
        return units
    sessions = [
        {name: value for name, value in session.items() if name != "gain"} if isinstance(session, dict) else session
        for session in units["sessions"]
    ]
    repeats = [one.in_columns() for one in read_repeats(units)]
    return {**units, "sessions": sessions, **({"repeats": repeats} if repeats else {})}


def _run(line: Json) -> PackedRun:
    record = RunRecord.model_validate_json(json.dumps(line["record"]))  # as JSON: lists become tuples
    check_key(record.key)
    history: Sequence[Json] = line["history"]
    if not all(isinstance(row, dict) for row in history):
        raise ValueError("a row of the history is no object")
    return PackedRun(record, line["units"], tuple(history))
