"""manifest.csv: takes the file, gives its lines as stripped cells, each fault with its line.

UTF-8, separated by commas. Spaces around a cell are nobody's intention (`left ` and `left` are one label), so they go.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ablate.errors import AblateError, Problem

ENCODING_HINT = "save it as UTF-8 (in a spreadsheet: `CSV UTF-8`)"


INTERVAL_LABELS = "interval_labels"
"""The column of labels that change within a trial."""


OPTIONAL = ("session", "video", "features", "bads", INTERVAL_LABELS, "ratings", "t0_ratings_s")


@dataclass(frozen=True)
class Line:
    """One trial's line. number: in the file, from 1. cells: by column, stripped."""

    file: Path
    number: int
    cells: dict[str, str]

    @property
    def where(self) -> str:
        return f"{self.file}:{self.number}"

    @property
    def trial_id(self) -> str:
        return self.cells["trial_id"]

    def get(self, column: str) -> str:
        """The cell, empty where the column is not there."""
        return self.cells.get(column, "")

    def seconds(self, column: str) -> float:
        """A finite number. Raises ValueError for anything else."""
        value = float(self.cells[column])
        if not math.isfinite(value):
            raise ValueError(column)
        return value

    def interval_labels(self) -> tuple[str, ...]:
        """The trial's labels interval by interval, `calm|happy||calm`; an empty one is no label. () without them."""
        text = self.get(INTERVAL_LABELS)
        return tuple(" ".join(label.split()) for label in text.split("|")) if text else ()

    def names(self, column: str) -> tuple[str, ...]:
        """Names separated by spaces or semicolons."""
        return tuple(self.get(column).replace(";", " ").split())


def read_text(file: Path, needed_for: str) -> str:
    """The file as text. Raises AblateError where it cannot be read or is not UTF-8."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AblateError(f"cannot be read: {type(error).__name__}", where=str(file), hint=needed_for) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what = f"is not UTF-8 (byte 0x{content[error.start]:02x})"
        raise AblateError(what, where=f"{file}:{line}", hint=ENCODING_HINT) from error


def read_manifest(file: Path, columns: Sequence[str], targets: Sequence[str] = ()) -> tuple[list[Line], list[Problem]]:
    """The sound lines, and what is wrong with the others. Raises AblateError where there are no lines at all.

    columns: needed; cells of other columns are read too. targets: numbers that are learned in the place of `label`,
    which may then be missing.
    """
    needed = [name for name in columns if not (targets and name == "label")]
    text = read_text(file, f"with the columns {', '.join(columns)}")
    if "\0" in text:
        raise AblateError("holds NUL bytes, so it is no text", where=str(file), hint=ENCODING_HINT)
    rows = _rows(text, file)
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    _check_header(file, header, needed)
    if len(rows) < 2:
        raise AblateError("holds no trial", where=str(file), hint="write one line for each trial")
    lines, problems = [], []
    for number, row in rows[1:]:
        if len(row) == len(header):
            lines.append(Line(file, number, dict(zip(header, (cell.strip() for cell in row), strict=True))))
        else:
            what = f"{len(row)} cells, but the header names {len(header)} columns"
            problems.append(
                Problem(what, f"{file}:{number}", "every line needs every comma, also where a cell is empty")
            )
    first = {line.trial_id: line for line in reversed(lines)}
    return list(first.values())[::-1], [*problems, *_faults(lines, needed)]


def _rows(text: str, file: Path) -> list[tuple[int, list[str]]]:
    """Each line that is not empty, with its number."""
    reader = csv.reader(text.splitlines(keepends=True))
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        hint = "is a quotation mark open, or is it no table?"
        raise AblateError(f"cannot be read: {error}", where=f"{file}:{reader.line_num}", hint=hint) from error


def unread(lines: Sequence[Line], columns: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Columns that are one letter or so away from one that would be read: notices."""
    known = (*columns, *OPTIONAL)
    header = list(lines[0].cells) if lines else []
    found = []
    for name in header:
        near = get_close_matches(name.casefold(), known, 1, 0.85)
        if name not in (*known, *targets) and near and near[0] not in header:
            found.append(f"the manifest's column `{name}` is not read: did you mean `{near[0]}`?")
    return found


def _check_header(file: Path, header: list[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in header]
    if missing and len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise AblateError("its columns are not separated by commas", where=str(file), hint="save it with commas")
    if missing:
        raise AblateError(
            f"without the columns {', '.join(missing)}", where=str(file), hint=f"it has {', '.join(header)}"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise AblateError(f"has the column {', '.join(twice)} twice", where=str(file), hint="keep one of them")


def _faults(lines: Sequence[Line], needed: Sequence[str]) -> list[Problem]:
    """Trials without a name or with one that is taken, without subject or label."""
    columns = [column for column in ("trial_id", "subject", "label") if column in needed]
    found, seen = [], dict[str, int]()
    for line in lines:
        for column in columns:
            if not line.get(column):
                found.append(Problem(f"a trial without {column}", line.where, f"fill in the cell `{column}`"))
        name = line.trial_id
        if name and name in seen:
            what = f"trial `{name}` stands here twice (first in line {seen[name]})"
            found.append(Problem(what, line.where, "give each trial its own id"))
        seen.setdefault(name, line.number)
    return found


def interval_faults(lines: Sequence[Line], own: Mapping[str, int], intervals: int) -> list[Problem]:
    """Lines whose labels are not one for each interval. Without the column there are none. own: how many a line's trial
    has, where that is not `intervals`."""
    if not any(INTERVAL_LABELS in line.cells for line in lines):
        return []
    found = []
    for line in lines:
        labels = line.interval_labels()
        hint = "write `calm|happy|happy`, a label for each interval; leave one empty where nothing is labelled"
        if len(labels) != (count := own.get(line.where, intervals)):
            what = f"{INTERVAL_LABELS} holds {len(labels)} labels, the trial has {count} intervals"
            found.append(Problem(what, line.where, hint))
        elif not any(labels):
            found.append(Problem("no interval of the trial has a label", line.where, hint))
    return found


def number_faults(line: Line, columns: Sequence[str]) -> list[Problem]:
    """Cells that should hold seconds and do not."""
    found = []
    for column in columns:
        try:
            line.seconds(column)
        except ValueError:
            found.append(Problem(f"{column} is `{line.get(column)}`, no number", line.where, "seconds, as 12.5"))
    return found
