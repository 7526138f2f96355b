"""The columns of the ranked table: what each shows, long and short, and which give way first on a narrow terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ablate.analysis import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import (
    ABSENT,
    change,
    count,
    duration,
    expected_range,
    memory,
    number,
    p_value,
    percent,
    percent_with_interval,
    ratio,
    signed,
    signed_percent,
    with_interval,
)

Cell = Callable[[VariantAnalysis], str]


@dataclass(frozen=True)
class Form:
    """One way to write a column."""

    title: str
    cell: Cell


@dataclass(frozen=True)
class Column:
    """A column with its forms from long to short; once none is left it is dropped. min_width: it may be cut to this."""

    key: str
    forms: tuple[Form, ...]
    right: bool = False
    min_width: int | None = None


GIVING_WAY = (
    "gain_absolute", "memory", "gain_absolute", "seconds", "ceiling", "verdict", "score", "p_holm", "variant",
    "score", "seeds", "flops", "changes", "gap", "expected", "parameters", "accuracy", "variant", "parameters",
    "gain", "score", "verdict",
)  # fmt: skip
"""The order in which columns are shortened or dropped, one form at a time, until the table fits."""


def plain(text: str) -> str:
    """One printable line: names and titles come from recipes and may hold anything, escape sequences among it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def cut(text: str, width: int) -> str:
    """Shortened with an ellipsis."""
    return text if len(text) <= width else text[: max(width - 1, 1)].rstrip() + "…"


def verdict_words(row: VariantAnalysis) -> str:
    """`helps, met`"""
    prediction = row.prediction
    return row.verdict if prediction is None else f"{row.verdict}, {prediction.outcome}"


def short_note(row: VariantAnalysis) -> str:
    """The note if it is short enough for a cell."""
    note = row.verdict_note.replace("would need", "needs")
    return note if len(note) <= 18 else ""


def columns(analysis: StudyAnalysis) -> tuple[Column, ...]:
    """All columns in order, those left out that would be empty."""
    made = (*_identity(), *_score(analysis), *_judgement(analysis), *_cost())
    return tuple(column for column in made if _says_something(column, analysis.rows))


def _says_something(column: Column, rows: Sequence[VariantAnalysis]) -> bool:
    return column.key in ("rank", "variant", "score", "verdict") or any(
        column.forms[-1].cell(row) not in ("", ABSENT) for row in rows
    )


def _identity() -> tuple[Column, ...]:
    return (
        Column("rank", (Form("#", lambda row: ABSENT if row.rank is None else str(row.rank)),), right=True),
        Column("variant", tuple(Form("variant", _name_within(width)) for width in (40, 22, 16))),
        Column("changes", (Form("what it changes", _changes),), min_width=18),
    )


def _name_within(width: int) -> Cell:
    return lambda row: cut(plain(row.name), width)


def _changes(row: VariantAnalysis) -> str:
    if row.changes:
        return plain(row.changes)
    return {"control": "nothing (control)"}.get(row.role, plain(row.title))


def _score(analysis: StudyAnalysis) -> tuple[Column, ...]:
    unit = analysis.unit
    return (
        Column(
            "score",
            (
                Form(f"{unit}, 95 %", lambda row: _estimate(row, long=True)),
                Form(unit, lambda row: _estimate(row, long=False)),
                Form(unit, lambda row: number(row.score.mean if row.score else None)),
            ),
        ),
        Column("accuracy", (Form("accuracy", lambda row: number(row.accuracy)),), right=True),
        *_gain(analysis),
    )


def _estimate(row: VariantAnalysis, *, long: bool) -> str:
    if row.score is None:
        return ABSENT
    if long or row.score.interval is None:
        return with_interval(row.score.mean, row.score.interval)
    half = (row.score.interval.high - row.score.interval.low) / 2
    return f"{number(row.score.mean)} ±{number(half)}"


def _gain(analysis: StudyAnalysis) -> tuple[Column, ...]:
    """In per cent with the absolute gain beside it; absolute alone where the baseline is no denominator."""
    absolute = (
        Form(f"gain in {analysis.unit}", _absolute),
        Form("gain", lambda row: "" if row.gain is None else signed(row.gain.mean)),
    )
    if not any(row.gain is not None and row.gain.relative is not None for row in analysis.rows):
        return (Column("gain", (Form("gain, 95 %", absolute[0].cell), absolute[1])),)
    return (
        Column("gain", (Form("gain, 95 %", _relative), Form("gain", _relative_short))),
        Column("gain_absolute", absolute),
    )


def _absolute(row: VariantAnalysis) -> str:
    return "" if row.gain is None else with_interval(row.gain.mean, row.gain.interval, sign=True)


def _relative(row: VariantAnalysis) -> str:
    if row.gain is None:
        return ""
    return percent_with_interval(row.gain.relative, row.gain.relative_interval)


def _relative_short(row: VariantAnalysis) -> str:
    return "" if row.gain is None else signed_percent(row.gain.relative)


def _judgement(analysis: StudyAnalysis) -> tuple[Column, ...]:
    return (
        Column("p_holm", (Form("Holm p", lambda row: p_value(row.gain.p_holm) if row.gain else ""),), right=True),
        Column(
            "expected",
            (Form("expected", lambda row: expected_range(row.prediction.expected if row.prediction else None)),),
        ),
        Column("verdict", (Form("verdict", _verdict_long), Form("verdict", verdict_words), Form("verdict", _word))),
        Column(
            "gap", (Form("gap", lambda row: "" if row.gap.share is None else percent(row.gap.share, 0)),), right=True
        ),
        Column("ceiling", (Form("ceiling", lambda row: percent(row.ceiling_share, 0)),), right=True),
    )


def _verdict_long(row: VariantAnalysis) -> str:
    note = short_note(row)
    return f"{verdict_words(row)} ({note})" if note else verdict_words(row)


def _word(row: VariantAnalysis) -> str:
    return row.verdict


def _cost() -> tuple[Column, ...]:
    return (
        Column(
            "parameters",
            (Form("parameters", _parameters), Form("params", lambda row: count(row.cost.total_parameters))),
        ),
        Column("flops", (Form("FLOPs", lambda row: ratio(row.cost.flops_ratio)),), right=True),
        Column("seconds", (Form("time", lambda row: duration(row.cost.seconds)),), right=True),
        Column("memory", (Form("memory", lambda row: memory(row.cost.peak_memory_bytes)),), right=True),
        Column("seeds", (Form("seeds", lambda row: row.finite),), right=True),
    )


def _parameters(row: VariantAnalysis) -> str:
    total = count(row.cost.total_parameters)
    if row.role == "baseline" or row.cost.parameters_ratio in (None, 1.0):
        return total
    return f"{total} {change(row.cost.parameters_ratio)}"
