"""Rows of a table in, runs out: every cell read as what it is, duplicates and holes found with their lines."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ablate.analysis.judge import names
from ablate.analysis.judge.choice import Columns
from ablate.analysis.judge.table import MISSING, MOST_TOLD, Table
from ablate.errors import AblateError, Problem
from ablate.result.record import RunState

LARGEST = 1e60
"""Of a score, and the inverse of the least: intervals multiply two variances, and 1e308 is the end of a double."""
RESCALE = "multiply all scores by one number: the verdicts stay"


@dataclass
class Run:
    """One variant with one seed, as text. sessions: name ("" where there is none) -> unit -> score."""

    variant: str
    seed: str
    place: str
    role: str = ""
    state: RunState = "done"
    reason: str = ""
    cost: float | None = None
    sessions: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def session_means(self) -> dict[str, float]:
        return {name: sum(held.values()) / len(held) for name, held in sorted(self.sessions.items())}

    @property
    def score(self) -> float | None:
        """Mean over units of each session, then over sessions; None where the run has no score to be compared."""
        means = self.session_means.values()
        found = sum(means) / len(means) if means else math.nan
        return found if self.state == "done" and math.isfinite(found) else None


def gather_runs(table: Table, columns: Columns) -> list[Run]:
    """Runs in the order of the table. Raises AblateError with all that is wrong, by line."""
    problems: list[Problem] = []
    found: dict[tuple[str, str], Run] = {}
    seen: dict[tuple[str, ...], int] = {}
    get = {name: table.header.index(name) for name in table.header}

    def cell(row: Sequence[str], column: str | None) -> str:
        return row[get[column]] if column else ""

    for index, row in enumerate(table.rows):
        variant, seed = cell(row, columns.variant), seed_text(cell(row, columns.seed))
        session, unit = cell(row, columns.session), cell(row, columns.unit)
        place = table.place(index)
        empty = [
            name for name, text in ((columns.variant, variant), (columns.seed, seed)) if text.casefold() in MISSING
        ]
        if empty:
            problems.append(Problem(f"no {empty[0]}", place, "fill it in, or leave the row out"))
            continue
        key = (variant, seed, session, unit)
        if key in seen:
            problems.append(_twice(variant, seed, seen[key], place, columns))
            continue
        seen[key] = table.lines[index]
        score = table.number(cell(row, columns.score))
        if score is None:
            what = f"`{columns.score}` is `{cell(row, columns.score)}`, which is no number"
            problems.append(Problem(what, place, "leave it empty where a run gave no score"))
            continue
        if math.isfinite(score) and abs(score) > LARGEST:
            what = f"`{columns.score}` is {score:g}, too large for a variance (the most is {LARGEST:g})"
            problems.append(Problem(what, place, f"leave it empty where the run diverged, or {RESCALE}"))
            continue
        run = found.setdefault((variant, seed), Run(variant, seed, place, cell(row, columns.role).casefold()))
        run.sessions.setdefault(session, {})[unit] = score
        _state(run, cell(row, columns.state), score, f"{Path(table.where).name}:{table.lines[index]}")
        cost = table.number(cell(row, columns.cost)) if columns.cost else None
        run.cost = cost if cost is not None and math.isfinite(cost) else run.cost
    problems += _alike(found)
    sizes = [abs(value) for run in found.values() for held in run.sessions.values() for value in held.values()]
    largest = max((size for size in sizes if math.isfinite(size)), default=0.0)
    if 0 < largest < 1 / LARGEST:
        what = f"no `{columns.score}` is above {largest:g}, too small for a variance (the least is {1 / LARGEST:g})"
        problems.append(Problem(what, table.where, RESCALE))
    if problems:
        more = len(problems) - MOST_TOLD
        told = [*problems[:MOST_TOLD], *([Problem(f"and {more} more such rows", table.where)] if more > 0 else [])]
        raise AblateError(problems=tuple(told))
    return list(found.values())


def _twice(variant: str, seed: str, first: int, place: str, columns: Columns) -> Problem:
    hint = "one row a run; name the column that tells them apart with --seed or --variant"
    if columns.session or columns.unit:
        hint = "one row a run, session and unit"
    return Problem(f"variant `{variant}`, seed `{seed}` is there already (line {first})", place, hint)


def _state(run: Run, said: str, score: float, place: str) -> None:
    """What a row's state or score says of its run; the first fault stays."""
    if run.state != "done":
        return
    word = said.casefold()
    if word in names.WAITING:
        run.state, run.reason = "interrupted", f"the table calls it {said} ({place})"
    elif word not in names.FINISHED and word not in MISSING:
        run.state, run.reason = "failed", f"the table calls it {said} ({place})"
    elif not math.isfinite(score):
        run.state, run.reason = "diverged", f"no finite score ({place})"


def _alike(found: dict[tuple[str, str], Run]) -> list[Problem]:
    """Variants whose names look alike (case, blanks, how an accent is encoded): one of them is a slip."""
    spelled: dict[str, Run] = {}
    problems: dict[str, Problem] = {}
    for run in found.values():
        seen = " ".join(unicodedata.normalize("NFKC", run.variant).split())
        first = spelled.setdefault(seen.casefold(), run)
        if first.variant != run.variant:
            told = " ".join(unicodedata.normalize("NFKC", first.variant).split())
            how = "in blanks or in how a letter is encoded" if seen == told else "in case"
            what = f"`{run.variant}` and `{first.variant}` differ {how} alone"
            problems.setdefault(run.variant, Problem(what, run.place, "spell a variant in one way"))
    return list(problems.values())


def seed_text(text: str) -> str:
    """`3.0` -> `3`, as a frame with a hole writes it; `03` -> `3`."""
    try:
        value = float(text)
    except ValueError:
        return text
    return str(int(value)) if value.is_integer() else text


@dataclass(frozen=True)
class Seeds:
    """Text of each seed -> its number."""

    numbers: dict[str, int]
    said: tuple[str, ...] = ()


def number_seeds(runs: Sequence[Run]) -> Seeds:
    """Whole numbers stay; any text is numbered in the order of the table, and that is said."""
    texts = list(dict.fromkeys(run.seed for run in runs))
    if all(text.removeprefix("-").isdigit() and text.isascii() for text in texts):
        return Seeds({text: int(text) for text in texts})
    numbers = {text: index for index, text in enumerate(texts)}
    pairs = ", ".join(f"{text} = {index}" for text, index in list(numbers.items())[:8])
    return Seeds(
        numbers, (f"Seeds are no whole numbers; they are numbered {pairs}{', ...' if len(numbers) > 8 else ''}.",)
    )
