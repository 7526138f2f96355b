"""Which column is what: by the caller's word, or by a name of the field that only one column has.

A column that could be two things is refused, with the one option that decides.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ablate.analysis.judge import names
from ablate.analysis.judge.table import Table
from ablate.errors import AblateError
from ablate.result.manifest import Variance


@dataclass(frozen=True)
class Choice:
    """What the caller decides; None leaves it to the names of the columns. worth: a share, 0.03 is 3 %. variance: as
    in a recipe's `analysis`. expect: name of a variant -> expected relative gain, (0.03, 0.05)."""

    score: str | None = None
    variant: str | None = None
    seed: str | None = None
    baseline: str | None = None
    lower_is_better: bool | None = None
    worth: float | None = None
    variance: Variance = "moderated"
    expect: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Columns:
    """Names of the columns that are read; None where there is none. metric: how the score is called."""

    variant: str
    seed: str
    score: str
    metric: str
    lower: bool
    session: str | None = None
    unit: str | None = None
    state: str | None = None
    role: str | None = None
    cost: str | None = None

    def told(self) -> str:
        """What was taken for what, in one sentence."""
        better = "lower" if self.lower else "higher"
        what = {"variant": self.variant, "seed": self.seed, "session": self.session, "unit": self.unit}
        parts = [f"{key} = `{name}`" for key, name in what.items() if name]
        return f"Read from the table: {', '.join(parts)}, score = `{self.score}` ({better} is better)."


def choose(table: Table, choice: Choice) -> Columns:
    """The columns of a long table. Raises AblateError where one is missing or could be two."""
    variant = _named(table, choice.variant, "--variant") or _variant(table)
    seed = _named(table, choice.seed, "--seed") or _one(table, names.SEED, "seed", "--seed")
    if seed is None:
        raise AblateError(
            "no column says which seed a run had",
            where=table.where,
            hint="name it with --seed COLUMN; runs are compared seed by seed",
        )
    used = {variant, seed}

    def optional(known: Sequence[str]) -> str | None:
        return next((name for name in table.header if names.plain(name) in known and name not in used), None)

    session, unit, state, role, metric = map(
        optional, (names.SESSION, names.UNIT, names.STATE, names.ROLE, names.METRIC)
    )
    used |= {name for name in (session, unit, state, role, metric) if name}
    score = _named(table, choice.score, "--score") or _score(table, used)
    called = _metric(table, metric) or score
    cost = next((name for name in table.header if names.plain(name) in names.COST and table.numeric(name)), None)
    return Columns(
        variant,
        seed,
        score,
        names.plain(called),
        _direction(table, called, choice),
        session,
        unit,
        state,
        role,
        None if cost == score else cost,
    )


def _named(table: Table, name: str | None, option: str) -> str | None:
    """The column that the caller names, with or without the export's prefix."""
    if name is None:
        return None
    found = [held for held in table.header if held == name] or [
        held for held in table.header if names.plain(held) == names.plain(name)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise AblateError(f"{option} {name} could be {_told(found)}", where=table.where, hint="write the name in full")
    raise AblateError(
        f"{option} {name}: there is no such column", where=table.where, hint=f"it has {_told(table.header)}"
    )


def _one(
    table: Table, known: Sequence[str], what: str, option: str, fits: Callable[[str], bool] = lambda name: True
) -> str | None:
    """The column with a known name that holds anything; the word itself goes before all others."""
    found = [name for name in table.header if names.plain(name) in known and fits(name) and any(table.column(name))]
    exact = [name for name in found if names.plain(name) == known[0]]
    found = exact or found
    if len(found) > 1:
        raise AblateError(
            f"the {what} could be {_told(found)}", where=table.where, hint=f"say which with {option} COLUMN"
        )
    return found[0] if found else None


def _variant(table: Table) -> str:
    """The column of the variants; one that differs in every row (a run's own name) is none."""

    def repeats(name: str) -> bool:
        plain = names.plain(name) == names.VARIANT[0]  # one seed of each is a table too
        return plain or len(set(table.column(name))) < len(table.rows) or len(table.rows) == 1

    found = _one(table, names.VARIANT, "variant", "--variant", repeats)
    if found is not None:
        return found
    empty = [name for name in table.header if names.plain(name) in names.VARIANT and not any(table.column(name))]
    what = f", for {_told(empty)} is empty" if empty else ""
    able = _able(table)
    hint = f"name it with --variant COLUMN{f' ({_told(able)} would do)' if able else ''}"
    if len(able) == 1:
        hint = f"say --variant {shlex.quote(able[0])} if that is it"
    raise AblateError(f"no column says which variant a run is of{what}", where=table.where, hint=hint)


def _able(table: Table) -> list[str]:
    """Columns without a hole that could be the variant; those before the others that have each seed once."""
    able = [
        name
        for name in table.header
        if 1 < len(set(table.column(name))) <= len(table.rows) // 2
        and all(table.column(name))
        and names.plain(name) not in names.SEED
    ]
    seed = next((name for name in table.header if names.plain(name) in names.SEED and any(table.column(name))), None)
    if seed is None:
        return able
    seeds = table.column(seed)
    once = [name for name in able if len(set(zip(table.column(name), seeds, strict=True))) == len(seeds)]
    return once or able


def _score(table: Table, used: set[str]) -> str:
    """The column called score, or the only one with numbers that are no bookkeeping."""
    exact = [name for name in table.header if names.plain(name) in names.SCORE and name not in used]
    if len(exact) == 1:
        return exact[0]
    free = [
        name
        for name in table.header
        if name not in used and names.plain(name) not in (*names.BOOKKEEPING, *names.COST) and table.numeric(name)
    ]
    measured = [name for name in free if name.startswith("metrics.")]
    found = measured or [name for name in free if not name.startswith(("params.", "config.", "tags."))]
    if len(found) == 1:
        return found[0]
    if found:
        raise AblateError(f"the score could be {_told(found)}", where=table.where, hint="say which with --score COLUMN")
    raise AblateError("no column holds a score", where=table.where, hint="name it with --score COLUMN")


def _metric(table: Table, column: str | None) -> str:
    """What a column `metric` says, if it says one thing."""
    said = set(table.column(column)) - {""} if column else set()
    if len(said) > 1:
        raise AblateError(
            f"scores of several metrics: {_told(sorted(said))}", where=table.where, hint="judge one metric at a time"
        )
    return next(iter(said), "")


def _direction(table: Table, called: str, choice: Choice) -> bool:
    if choice.lower_is_better is not None:
        return choice.lower_is_better
    found = names.lower_is_better(called)
    if found is None:
        raise AblateError(
            f"`{called}` does not say whether higher or lower is better",
            where=table.where,
            hint="say it with --lower-is-better or --higher-is-better",
        )
    return found


def _told(found: Sequence[str]) -> str:
    quoted = [f"`{name}`" for name in found[:12]]
    more = [f"{len(found) - 12} more"] if len(found) > 12 else []
    return ", ".join([*quoted, *more])


# ------------------------------------------------------------------ wide tables


def long(table: Table, choice: Choice) -> Table:
    """A wide table made long: one column a seed (`seed0`, `1`, ...), or one a variant beside a column of seeds.

    A table that has a score column, or columns for variant and seed, is left as it is.
    """
    if choice.score or any(names.plain(name) in names.SCORE for name in table.header):
        return table
    seeds = [name for name in table.header if _seed_of(name) is not None]
    seed = choice.seed or next((name for name in table.header if names.plain(name) in names.SEED), None)
    if seed is None and len(seeds) >= 2:
        return _melted(table, seeds, "seed", lambda name: _seed_of(name) or "")
    base = choice.baseline or "baseline"
    columns = [name for name in table.header if name != seed and table.numeric(name)]
    if seed is not None and base in columns and choice.variant is None:
        return _melted(table, columns, "variant", lambda name: name)
    return table


def _seed_of(name: str) -> str | None:
    digits = name.casefold().removeprefix("seed").removeprefix("score").lstrip("_ -.")
    return digits if digits.isascii() and digits.isdigit() else None


def _melted(table: Table, columns: Sequence[str], new: str, label: Callable[[str], str]) -> Table:
    """One row for every value of `columns`, which keeps the line that it stood on."""
    kept = [index for index, name in enumerate(table.header) if name not in columns]
    places = [table.header.index(name) for name in columns]
    rows, lines = [], []
    for row, line in zip(table.rows, table.lines, strict=True):
        for name, place in zip(columns, places, strict=True):
            rows.append((*(row[index] for index in kept), label(name), row[place]))
            lines.append(line)
    header = (*(table.header[index] for index in kept), new, "score")
    said = (*table.said, f"one column a {new}: {_told(columns)}")
    return replace(table, header=header, rows=tuple(rows), lines=tuple(lines), said=said)
