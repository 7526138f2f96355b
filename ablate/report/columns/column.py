"""What a column is: its heading, how it is written long and short, its side, and its fields in CSV and JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ablate.analysis.outcome import Gain, Interval, VariantAnalysis
from ablate.analysis.words import number, percent_with_interval, with_interval
from ablate.disk.read import Json

Cell = Callable[[VariantAnalysis], str]
Fields = Json
Place = Literal["gain", "beside"]


@dataclass(frozen=True)
class Form:
    """One way to write a column."""

    heading: str
    cell: Cell


@dataclass(frozen=True)
class Column:
    """A column with its forms from long to short; on a terminal, once none is left, it is dropped.

    fields: what it holds in CSV and JSON, by name. part: where there is no room for all columns side by side, those of
    `beside` (other intervals, cost) stand in a second table. min_width: it may be cut to this. kept: never dropped.
    """

    key: str
    forms: tuple[Form, ...]
    fields: Callable[[VariantAnalysis], Fields]
    part: Place = "gain"
    right: bool = False
    min_width: int | None = None
    kept: bool = False

    @property
    def heading(self) -> str:
        return self.forms[0].heading

    @property
    def cell(self) -> Cell:
        return self.forms[0].cell


def one(
    key: str,
    heading: str,
    cell: Cell,
    fields: Callable[[VariantAnalysis], Fields],
    *,
    part: Place = "gain",
    right: bool = False,
    min_width: int | None = None,
    kept: bool = False,
) -> Column:
    """A column that is always written the same way."""
    return Column(key, (Form(heading, cell),), fields, part, right, min_width, kept)


def figure(
    key: str,
    heading: str,
    value: Callable[[VariantAnalysis], float | None],
    *,
    field: str = "",
    write: Callable[[float | None], str] = number,
    part: Place = "gain",
) -> Column:
    """A column of one figure. field: its key in CSV and JSON, where that is another than the column's."""
    return one(
        key, heading, lambda row: write(value(row)), lambda row: {field or key: value(row)}, part=part, right=True
    )


def judged_gain(word: str, gain: Gain | None) -> str:
    """`repeats, +4.1 % [+2.0, +6.2]`; in the metric's unit where the baseline is no denominator."""
    if gain is None:
        return word
    if gain.relative is None:
        return f"{word}, {with_interval(gain.mean, gain.interval, sign=True)}"
    return f"{word}, {percent_with_interval(gain.relative, gain.relative_interval)}"


def gain_fields(name: str, gain: Gain | None) -> Fields:
    """Mean and interval of a gain that was measured once more, absolute and relative."""
    return {
        name: None if gain is None else gain.mean,
        **ends(name, None if gain is None else gain.interval),
        f"{name}_relative": None if gain is None else gain.relative,
        **ends(f"{name}_relative", None if gain is None else gain.relative_interval),
    }


def ends(name: str, interval: Interval | None) -> Fields:
    return {
        f"{name}_low": None if interval is None else interval.low,
        f"{name}_high": None if interval is None else interval.high,
    }
