"""Numbers to learn: takes a manifest's columns or a file beside a trial, gives a number a trial or an interval.

    valence            7          the trial's                        -> (1, k)
    valence            3|4||5     an interval's, empty = not rated   -> (i, k)
    ratings            file       values at times, see below         -> (i, k), the mean of each interval's values

The file of continuous annotation is .csv (columns t and the targets), or .npz or .h5 (arrays of those names): t in
seconds since the trial began, or on a clock of its own of which the column t0_ratings_s gives that moment. NaN and an
empty cell are not rated. An interval's mean is over its rated values; without any it is not rated.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.layout.frames.arrays import read_array
from ablate.data.trials.layout.manifest.lines import Line, read_text
from ablate.errors import AblateError, Problem

RATINGS, CLOCK = "ratings", "t0_ratings_s"
NOT_RATED = ("", "nan")
HINT = "write a number, one for each interval as `3|4||5`, or name a file in the column `ratings`"

Values = tuple[tuple[float, ...], ...]
"""(n, k): a row for the trial or for each interval, NaN where nothing is rated."""


@dataclass(frozen=True)
class Rated:
    """by_line: `Line.where` -> its numbers; a line with a fault has none. files: that were read."""

    by_line: Mapping[str, Values]
    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]


def rated(
    lines: Sequence[Line], targets: Sequence[str], own: Mapping[str, int], intervals: int, interval_s: float
) -> Rated:
    """The numbers of every line; nothing where no target is asked for. own: how many intervals a line's trial has,
    where that is not `intervals`."""
    if not targets or not lines:
        return Rated({}, (), (), ())
    if missing := _missing(lines[0], targets):
        return Rated({}, (), tuple(missing), ())
    found: dict[str, NDArray[np.float64]] = {}
    problems, used, unused, files = list[Problem](), 0, 0, set[Path]()
    for line in lines:
        try:
            if line.get(RATINGS):
                files.add(line.file.parent / line.get(RATINGS))
                found[line.where], inside, outside = _from_file(
                    line, targets, own.get(line.where, intervals), interval_s
                )
                used, unused = used + inside, unused + outside
            else:
                found[line.where] = _from_cells(line, targets)
        except AblateError as error:
            problems += error.problems
    problems += _misfits(lines, found, own, intervals)
    notices = (f"{unused} of {used + unused} ratings lie outside their trials and are not used",) if unused else ()
    values = {where: tuple(map(tuple, table.tolist())) for where, table in found.items()}
    return Rated(values, tuple(sorted(files)), tuple(problems), notices)


def _missing(line: Line, targets: Sequence[str]) -> list[Problem]:
    """Targets that the manifest has no column for, where no file can hold them either."""
    header = list(line.cells)
    found = []
    for name in targets:
        if name not in header and RATINGS not in header:
            close = get_close_matches(name, header, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"it has {', '.join(header)}; {HINT}"
            found.append(Problem(f"no column is called {name}, which `data.targets` names", str(line.file), hint))
    return found


def _from_cells(line: Line, targets: Sequence[str]) -> NDArray[np.float64]:
    """(n, k). Raises AblateError for cells that are no numbers, or not the same count for each target."""
    problems, columns = [], []
    for name in targets:
        cells = [cell.strip() for cell in line.get(name).split("|")]
        wrong = [cell for cell in cells if _number(cell) is None]
        if wrong:
            problems.append(Problem(f"{name} is `{wrong[0]}`, no number", line.where, HINT))
        columns.append([np.nan if (value := _number(cell)) is None else value for cell in cells])
    counts = [len(column) for column in columns]
    if len(set(counts)) > 1 and not problems:
        what = ", ".join(f"{count} of {name}" for name, count in zip(targets, counts, strict=True))
        problems.append(Problem(f"another count of numbers for each target: {what}", line.where, HINT))
    if problems:
        raise AblateError(problems=tuple(problems))
    return np.array(columns).T


def _number(text: str) -> float | None:
    """A finite number, or NaN where nothing is rated; None of any other text."""
    if text.casefold() in NOT_RATED:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _from_file(
    line: Line, targets: Sequence[str], intervals: int, interval_s: float
) -> tuple[NDArray[np.float64], int, int]:
    """(i, k), and how many values lie inside of the trial and outside. Raises AblateError for a file that is none."""
    name = line.get(RATINGS)
    file = line.file.parent / name
    if not file.is_file():
        raise AblateError(f"there is no file {name}", where=line.where, hint="files are relative to the manifest")
    twice = [target for target in targets if line.get(target)]
    if twice:
        what = f"{', '.join(twice)} stands in the manifest and is asked of {name} too"
        raise AblateError(what, where=line.where, hint="empty one of the two cells")
    t, values = (_from_csv if file.suffix.casefold() == ".csv" else _from_arrays)(file, targets)
    _check_times(t, values, file)
    since = t - _clock(line)
    place = np.floor(since / interval_s).astype(np.int64)
    end = np.isclose(since, intervals * interval_s)
    if since[-1] <= intervals * interval_s or end[-1]:  # the annotation's last moment belongs to the last interval
        place[end] = intervals - 1
    inside = (place >= 0) & (place < intervals)
    if not inside.any():
        what = f"none of {len(t)} ratings lies in the trial: they last from {since.min():g} to {since.max():g} s, "
        what += f"the trial from 0 to {intervals * interval_s:g} s"
        hint = f"t counts seconds since the trial began; the column {CLOCK} gives that moment on another clock"
        raise AblateError(what, where=str(file), hint=hint)
    return _means(values[inside], place[inside], intervals), int(inside.sum()), int((~inside).sum())


def _means(values: NDArray[np.float64], place: NDArray[np.int64], intervals: int) -> NDArray[np.float64]:
    """Of the rated values of each interval, NaN without any."""
    known = np.isfinite(values)
    total, count = (np.zeros((intervals, values.shape[1])) for _ in range(2))
    np.add.at(total, place, np.where(known, values, 0.0))
    np.add.at(count, place, known)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _clock(line: Line) -> float:
    """When the trial began on the ratings' clock."""
    if not line.get(CLOCK):
        return 0.0
    try:
        return line.seconds(CLOCK)
    except ValueError:
        what = f"{CLOCK} is `{line.get(CLOCK)}`, no number"
        raise AblateError(what, where=line.where, hint="seconds, as 12.5") from None


def _from_csv(file: Path, targets: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times (N,) and values (N, k)."""
    rows = list(csv.reader(read_text(file, "a file of ratings").splitlines()))
    header = [cell.strip() for cell in rows[0]] if rows else []
    _check_names(file, header, targets)
    table = np.empty((len(rows) - 1, 1 + len(targets)))
    places = [header.index(name) for name in ("t", *targets)]
    for number, row in enumerate(rows[1:], start=2):
        cells = [row[place].strip() if place < len(row) else "short" for place in places]
        numbers = [_number(cell) for cell in cells]
        if None in numbers:
            wrong = cells[numbers.index(None)]
            what = "too few cells" if wrong == "short" else f"`{wrong}` is no number"
            raise AblateError(what, where=f"{file}:{number}", hint="leave a cell empty where nothing is rated")
        table[number - 2] = numbers
    return table[:, 0], table[:, 1:]


def _from_arrays(file: Path, targets: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same of .npz and .h5."""
    arrays = {name: np.asarray(read_array(file, name)) for name in ("t", *targets)}
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in "iuf" or len(array) != len(arrays["t"]):
            what = f"{name} of shape {array.shape} and type {array.dtype}, expected {arrays['t'].size} numbers"
            raise AblateError(what, where=str(file), hint="t and every target are arrays of one length")
    values = np.stack([arrays[name] for name in targets], axis=1).astype(np.float64)
    if np.isinf(values).any():
        raise AblateError("holds infinity", where=str(file), hint="NaN is not rated")
    return arrays["t"].astype(np.float64), values


def _check_names(file: Path, header: Sequence[str], targets: Sequence[str]) -> None:
    missing = [name for name in ("t", *targets) if name not in header]
    if missing:
        what, hint = f"without the columns {', '.join(missing)}", f"it has {', '.join(header) or 'none'}"
        raise AblateError(what, where=str(file), hint=hint)


def _check_times(t: NDArray[np.float64], values: NDArray[np.float64], file: Path) -> None:
    if not len(t):
        raise AblateError("holds no rating", where=str(file), hint="leave the cell `ratings` empty")
    if not np.isfinite(t).all() or (np.diff(t) <= 0).any():
        what = "its times t do not rise from one rating to the next"
        raise AblateError(what, where=str(file), hint="seconds, each once, the earliest first")
    if np.isnan(values).all():
        raise AblateError("no time is rated", where=str(file), hint="is it the file of this trial?")


def _misfits(
    lines: Sequence[Line], found: dict[str, NDArray[np.float64]], own: Mapping[str, int], intervals: int
) -> list[Problem]:
    """Trials of another count of numbers than their intervals, and those without any."""
    per_interval = any(len(table) > 1 for table in found.values())
    problems = []
    for line in lines:
        table = found.get(line.where)
        if table is None:
            continue
        if per_interval and len(table) != (count := own.get(line.where, intervals)):
            what = f"{len(table)} numbers for each target, the trial has {count} intervals"
            problems.append(Problem(what, line.where, HINT))
        elif np.isnan(table).all():
            problems.append(Problem("nothing of the trial is rated", line.where, "leave the line out, or rate it"))
    return problems
