"""A list of units in a file, in; their numbers in a recording, out.

    .txt     one a line: numbers from 0, or names (column `name` of the recording's table); # begins a comment
    .npy     numbers (n,), names (n,), or a mask (u,) of bool
    .csv .tsv  a column: `unit` for numbers, or any that the recording's table has (`cluster_id`, `name`); with a column
             `session` only the rows of that recording count

A number is always a column of spikes.npy, never an id: ids have a column of their own name.
"""

import difflib
from pathlib import Path

import numpy as np

from ablate.data.recording.unit_table import UnitTable, rows_of
from ablate.errors import AblateError

SUFFIXES = (".txt", ".npy", ".csv", ".tsv")


def listed_units(path: Path, name: str, units: int, table: UnitTable) -> tuple[int, ...]:
    """name: of the recording. table: of its units. Raises AblateError for a unit that is not there, with the nearest
    that is, and for one that is listed twice."""
    column, entries = _entries(path, name, units)
    if column == "unit":
        wrong = [entry for entry in entries if not (entry.isdecimal() and int(entry) < units)]
        if wrong:
            what = f"{path.name} lists unit {wrong[0]}, and {name} has {units} units, numbered from 0"
            raise AblateError(what, where="data.units.file")
        numbers = [int(entry) for entry in entries]
    else:
        numbers = _by_name(path, name, column, entries, table)
    twice = [entry for place, entry in enumerate(entries) if entry in entries[:place]]
    if twice:
        raise AblateError(f"{path.name} lists unit {twice[0]} twice", where="data.units.file")
    return tuple(numbers)


def _by_name(path: Path, name: str, column: str, entries: list[str], table: UnitTable) -> list[int]:
    if column not in table:
        known = f"; its columns are {', '.join(table)}" if table else ": it has no table of units"
        what = f"{path.name} lists units by `{column}`, which is not known of {name}{known}"
        raise AblateError(what, where="data.units.file", hint="numbers from 0 need no table")
    names = table[column]
    for entry in entries:
        if names.count(entry) != 1:
            near = difflib.get_close_matches(entry, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near and entry not in names else ""
            how = "several units" if entry in names else "no unit"
            raise AblateError(f"{name} has {how} with {column} `{entry}`", where="data.units.file", hint=hint)
    return [names.index(entry) for entry in entries]


def _entries(path: Path, name: str, units: int) -> tuple[str, list[str]]:
    """The column that is meant, and what is listed."""
    if path.suffix == ".npy":
        return _of_array(path, name, units)
    if path.suffix == ".txt":
        lines = [line.partition("#")[0].strip() for line in _text(path).splitlines()]
        found = [line for line in lines if line]
        return ("unit" if all(entry.isdecimal() for entry in found) else "name"), found
    if path.suffix not in SUFFIXES:
        raise AblateError(f"is none of {', '.join(SUFFIXES)}", where=str(path))
    rows = rows_of(path)
    if rows and "session" in rows[0]:
        rows = [row for row in rows if row["session"] == name]
        if not rows:
            raise AblateError(f"{path.name} lists no unit of session {name}", where="data.units.file")
    columns = [column for column in (rows[0] if rows else ()) if column != "session"]
    if len(columns) != 1 and "unit" not in columns:
        told = ", ".join(columns) or "none"
        hint = "`unit` for numbers from 0, or a column of the recording's own table"
        raise AblateError(f"needs one column that tells the unit, and has {told}", where=str(path), hint=hint)
    column = "unit" if "unit" in columns else columns[0]
    return column, [row[column] for row in rows]


def _of_array(path: Path, name: str, units: int) -> tuple[str, list[str]]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise AblateError("is no numpy array", where=str(path)) from error
    if array.ndim != 1:
        raise AblateError(f"must have one axis, not shape {array.shape}", where=str(path))
    if array.dtype.kind == "b":
        if len(array) != units:
            raise AblateError(f"is a mask of {len(array)}, and {name} has {units} units", where=str(path))
        return "unit", [str(number) for number in np.flatnonzero(array)]
    if array.dtype.kind in "ui":
        return "unit", [str(number) for number in array.tolist()]
    if array.dtype.kind == "U":
        return "name", array.tolist()
    raise AblateError(f"must hold numbers, names or a mask, not {array.dtype}", where=str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AblateError("cannot be read as text", where=str(path)) from error
