"""Columns and a width in, cells that fit out. Short: columns are shortened and dropped in a fixed order, never wrapped.
Whole: no column is, and what has no room beside the others stands in a further table.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from ablate.analysis.outcome import VariantAnalysis
from ablate.report.columns import GIVING_WAY, Column
from ablate.report.text import cut

GAP = 2


@dataclass(frozen=True)
class Laid:
    """One column as it will be printed."""

    key: str
    title: str
    cells: tuple[str, ...]
    width: int
    right: bool

    def padded(self, text: str) -> str:
        """The text on this column's width."""
        text = self.within(text)
        space = " " * (self.width - cell_len(text))
        return space + text if self.right else text + space

    def within(self, text: str) -> str:
        """Cut to the width where it is wider."""
        while cell_len(text) > self.width:
            text = cut(text, len(text) - 1)
        return text


class _Written:
    """A column's cells in each form, written once."""

    def __init__(self, column: Column, rows: Sequence[VariantAnalysis]):
        self.column = column
        self.rows = rows
        self.level = 0
        self._forms: dict[int, tuple[tuple[str, ...], int]] = {}

    def form(self) -> tuple[tuple[str, ...], int]:
        """Cells and natural width of the current form."""
        if self.level not in self._forms:
            form = self.column.forms[self.level]
            cells = tuple(form.cell(row) for row in self.rows)
            self._forms[self.level] = (cells, max(map(cell_len, (form.heading, *cells))))
        return self._forms[self.level]

    @property
    def least(self) -> int:
        """The width below which it must not go."""
        natural = self.form()[1]
        return natural if self.column.min_width is None else min(natural, self.column.min_width)


def lay_out(columns: Sequence[Column], rows: Sequence[VariantAnalysis], width: int) -> tuple[Laid, ...]:
    """The columns that fit into `width` characters; what is left over goes to the columns that can be cut."""
    kept = {column.key: _Written(column, rows) for column in columns}
    unnamed = [column.key for column in reversed(columns) if column.key not in GIVING_WAY and not column.kept]
    for key in (*unnamed, *GIVING_WAY):
        if _total(kept) <= width:
            break
        written = kept.get(key)
        if written is None:
            continue
        written.level += 1
        if written.level == len(written.column.forms):
            if written.column.kept:
                written.level -= 1
            else:
                del kept[key]
    spare = max(width - _total(kept), 0)
    laid = []
    for key, written in kept.items():
        cells, natural = written.form()
        taken = min(natural, written.least + spare) if written.column.min_width is not None else natural
        spare -= taken - written.least
        laid.append(Laid(key, written.column.forms[written.level].heading, cells, taken, written.column.right))
    return tuple(laid)


def lay_out_whole(columns: Sequence[Column], rows: Sequence[VariantAnalysis], width: int) -> list[list[Laid]]:
    """All columns in their longest form, in as many tables as that takes; each names the variant."""
    laid = []
    for column in columns:
        cells, natural = _Written(column, rows).form()
        laid.append(Laid(column.key, column.heading, cells, natural, column.right))
    name = next(place for place, column in enumerate(columns) if column.key == "variant")
    return side_by_side(laid, name, width)


def side_by_side(columns: Sequence[Laid], named: int, width: int) -> list[list[Laid]]:
    """As many columns in a table as there is room for; the one at `named` opens every further table. A column that
    has no room beside it is cut.
    """
    first = replace(columns[named], width=min(columns[named].width, width // 2))
    tables: list[list[Laid]] = [[]]
    for place, column in enumerate(columns):
        laid = first if place == named else replace(column, width=min(column.width, width - first.width - GAP))
        if tables[-1] and sum(other.width + GAP for other in tables[-1]) + laid.width > width:
            tables.append([first])
        if laid is not first or first not in tables[-1]:
            tables[-1].append(laid)
    return tables


def _total(kept: dict[str, _Written]) -> int:
    return sum(written.least for written in kept.values()) + GAP * (len(kept) - 1)
