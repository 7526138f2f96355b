"""A text file of cells in, a `Table` out: encoding, delimiter and decimal sign found, every row with its line.

Nothing is guessed in silence: what was found is in `said`, and what could be read in two ways is refused.
"""

import csv
import io
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ablate.analysis.judge import names
from ablate.disk.absent import absent
from ablate.errors import AblateError, Problem

MISSING = frozenset({"", "-", "na", "n/a", "nan", "none", "null", "<na>", "!"})
"""What exports write for a value that is not there (DVC: `-` and `!`)."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)
DELIMITERS = (",", ";", "\t", "|")
NAMED = re.compile(r'\s*(?P<line>"?sep=(?P<sign>[^\w"\r\n])"?(?P=sign)*)[ ]*(?=[\r\n]|$)', re.IGNORECASE)
"""The first line by which a file tells Excel its delimiter; saved again, it is padded to the width of the table."""
INDEX = re.compile(r"unnamed: ?\d+(\.\d+)*|index|level_0|column \d+", re.IGNORECASE)
"""What the index of a frame is called: nothing as it is written (here: `column 1`), the rest as it is read again."""
MOST_TOLD = 5


@dataclass(frozen=True)
class Table:
    """Cells as text, blanks around them cut. lines: where each row begins, the header being line 1 or later."""

    where: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    decimal_comma: bool = False
    said: tuple[str, ...] = field(default_factory=tuple)

    def column(self, name: str) -> list[str]:
        index = self.header.index(name)
        return [row[index] for row in self.rows]

    def place(self, index: int) -> str:
        """`file:line` of a row."""
        return f"{self.where}:{self.lines[index]}"

    def number(self, text: str) -> float | None:
        """The value of a cell: NaN where it is missing, None where it is no number."""
        if text.casefold() in MISSING:
            return math.nan
        plain = text.replace(",", ".") if self.decimal_comma and "." not in text else text
        return float(plain) if NUMBER.fullmatch(plain) else None

    def numeric(self, name: str) -> bool:
        """Whether a column holds numbers and nothing else."""
        values = [self.number(text) for text in self.column(name)]
        return all(value is not None for value in values) and any(value == value for value in values)


def read_table(path: Path) -> Table:
    """The table in a file. Raises AblateError where it is empty, no text, or ragged."""
    if not path.is_file():
        hint = "name a CSV file with one run a row"
        if not path.exists():
            raise absent(path, "there is no such file", hint)
        raise AblateError("is a folder", where=str(path), hint=hint)
    content = path.read_bytes()
    text, encoding = _decoded(content, str(path))
    if not text.strip():
        raise AblateError("the file is empty", where=str(path), hint="it needs a header and one run a row")
    delimiter, text = _delimiter(text, str(path))
    if not text.strip():
        raise AblateError("there is a `sep=` and nothing else", where=str(path), hint="it needs one run a row")
    header, rows, lines = _cells(text, delimiter, str(path))
    decimal_comma = _decimal_comma(rows, delimiter)
    said = []
    if encoding:
        said.append(f"read as {encoding}, for it is no UTF-8")
    if decimal_comma:
        said.append("a comma is read as the decimal sign (0,5 is a half)")
    return Table(str(path), header, rows, lines, decimal_comma, tuple(said))


def _decoded(content: bytes, where: str) -> tuple[str, str]:
    """(text, name of the encoding where it is not UTF-8)."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), "UTF-16"
    if b"\0" in content:
        raise AblateError("this is no text file", where=where, hint="export the table as CSV")
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return content.decode("latin-1"), "latin-1"


def _delimiter(text: str, where: str) -> tuple[str, str]:
    """(the sign that `sep=` names, or that cuts the header into the most names; the text without the line `sep=`)."""
    named = NAMED.match(text)
    if named:
        text = text[: named.start("line")] + text[named.end("line") :]
        if text.strip() and named["sign"] not in text.strip().splitlines()[0]:
            what = f"the first line says that `{named['sign']}` separates columns, but the header holds none"
            raise AblateError(what, where=where, hint="correct that line, or delete it")
        return named["sign"], text
    first = next(line for line in text.splitlines() if line.strip())
    return max(DELIMITERS, key=lambda sign: len(next(csv.reader([first], delimiter=sign)))), text


def without_index(table: Table, kept: Collection[str | None]) -> Table:
    """Without the columns that only count the rows of a frame; kept: names that the caller gave a meaning."""

    meant = {names.plain(name) for name in kept if name is not None}

    def counts(name: str, place: int) -> bool:
        cells = [row[place] for row in table.rows]
        whole = all(re.fullmatch(r"\d+(\.0)?", cell) for cell in cells) and len(set(cells)) == len(cells)
        return names.plain(name) not in meant and INDEX.fullmatch(name) is not None and whole

    index = [place for place, name in enumerate(table.header) if counts(name, place)]
    if not index:
        return table
    told = ", ".join(f"`{table.header[place]}`" for place in index)
    return replace(
        table,
        header=tuple(name for place, name in enumerate(table.header) if place not in index),
        rows=tuple(tuple(cell for place, cell in enumerate(row) if place not in index) for row in table.rows),
        said=(*table.said, f"passed over as the index of a frame: {told}"),
    )


def _cells(
    text: str, delimiter: str, where: str
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[int, ...]]:
    """Header, rows and the line on which each row begins; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found: list[tuple[int, tuple[str, ...]]] = []
    begin = 1
    try:
        for row in reader:
            cells = tuple(cell.strip() for cell in row)
            if any(cells):
                found.append((begin, cells))
            begin = reader.line_num + 1
    except csv.Error as fault:
        raise AblateError(f"cannot be read as a table: {fault}", where=f"{where}:{reader.line_num}") from fault
    header = tuple(name or f"column {place}" for place, name in enumerate(found[0][1], start=1))
    if len(found) < 2:
        raise AblateError("there is a header and no row", where=where, hint="it needs one run a row")
    _one_of_each(header, f"{where}:{found[0][0]}")
    ragged = [(line, row) for line, row in found[1:] if len(row) != len(header)]
    if ragged:
        hint = "put quotes around values that hold the separator"
        if delimiter == ",":
            hint += ", and separate columns by `;` where the comma is the decimal sign"
        raise AblateError(
            problems=tuple(
                Problem(f"{len(row)} values, but the header has {len(header)} names", f"{where}:{line}", hint)
                for line, row in ragged[:MOST_TOLD]
            )
        )
    return header, tuple(row for _, row in found[1:]), tuple(line for line, _ in found[1:])


def _one_of_each(header: Sequence[str], where: str) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise AblateError(f"two columns are called `{twice[0]}`", where=where, hint="give each column its own name")


def _decimal_comma(rows: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Whether numbers are written 0,5: commas inside numbers, and no number with a point."""
    if delimiter == ",":
        return False
    cells = [cell for row in rows for cell in row]
    commas = any(re.fullmatch(r"[+-]?\d+,\d+(e[+-]?\d+)?", cell, re.IGNORECASE) for cell in cells)
    points = any(re.fullmatch(r"[+-]?\d*\.\d+(e[+-]?\d+)?", cell, re.IGNORECASE) for cell in cells)
    return commas and not points
