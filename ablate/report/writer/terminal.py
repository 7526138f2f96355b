"""A report for a terminal of any width: the short one, which fits a screen, or all of it.

`View` is a rich renderable that asks the console for its width; `terminal_text` is the same without colour. Text from
recipes is printed as it is: no markup, no escape sequence in a name has any effect.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from ablate.analysis.outcome import VariantAnalysis
from ablate.report.content import Block, Code, Content, Facts, Lines, Pictures, Ranking, Table
from ablate.report.text import cut, plain
from ablate.report.writer.layout import GAP, Laid, lay_out, lay_out_whole, side_by_side

BRIEF = 28
"""Lines of the short report of ten variants: a screen, less what the command says of itself."""
TONES = {
    "name": "bold",
    "answer": "bold",
    "alarm": "bold red",
    "warning": "yellow",
    "failure": "red",
    "steps": "",
}
VERDICTS = {
    "helps": "bold green",
    "hurts": "red",
    "negligible": "cyan",
    "no evidence": "dim",
    "invalid": "yellow",
    "baseline": "cyan",
    "reference": "cyan",
}


class View:
    """What is printed of a report. most: lines that the short form may take, however much there is to say."""

    def __init__(self, content: Content, *, details: bool = False, most: int = BRIEF, more: str = ""):
        self.content = content
        self.details = details
        self.most = most
        self.more = more
        """What to type for the rest."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield from self.lines(options.max_width)

    def lines(self, width: int) -> list[Text]:
        """Every line, styled; none wider than `width` (a table needs about 60)."""
        if self.details:
            blocks = [_written(block, width, whole=True) for block in self.content.blocks]
            return [line for lines in blocks for line in (*lines, _line(""))][:-1]
        return _fitted([block for block in self.content.blocks if block.brief], width, self.most, self.more)


def terminal_text(content: Content, width: int, *, details: bool = False) -> str:
    """Without colour."""
    return "\n".join(line.plain.rstrip() for line in View(content, details=details).lines(width)) + "\n"


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="crop", end="\n")


def _wrapped(text: str, width: int, *, indent: str = "", style: str = "") -> list[Text]:
    """A sentence over as many lines as it takes, later ones indented further."""
    width = max(width, 20)
    bound = plain(text).replace(" %", "\u00a0%")  # a number and its sign on one line
    parts = textwrap.wrap(bound, width, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)
    return [_line(part.replace("\u00a0%", " %"), style) for part in parts]


# ------------------------------------------------------------------ the short form


def _fitted(blocks: Sequence[Block], width: int, most: int, more: str) -> list[Text]:
    """All that is fixed; of doubts and steps, in turn, as many as there is room for; then what was left out."""
    loose = [block for block in blocks if isinstance(block, Lines) and block.tone in ("warning", "failure", "steps")]
    sentences = {block.key: [_wrapped(text, width) for text in _labelled(block)] for block in loose}
    apart = sum(isinstance(block, Ranking) for block in blocks) * 2
    fixed = {block.key: _written(block, width) for block in blocks if block not in loose}
    room = most - sum(map(len, fixed.values())) - apart - len(_pointer(more, 99, width))
    taken = _shared_out({key: [len(lines) for lines in held] for key, held in sentences.items()}, room)
    shown: list[Text] = []
    for block in blocks:
        if block in loose:
            style = TONES[block.tone] if isinstance(block, Lines) else ""
            shown += [_line(line.plain, style) for lines in sentences[block.key][: taken[block.key]] for line in lines]
        else:
            around = [_line("")] if isinstance(block, Ranking) else []
            shown += [*around, *fixed[block.key], *around]
    left = sum(len(held) - taken[key] for key, held in sentences.items())
    return shown + _pointer(more, left, width)


def _pointer(more: str, left: int, width: int) -> list[Text]:
    """What is left out, and where all of it is."""
    missing = f"{left} more remark{'s' if left > 1 else ''}" if left else "All of it"
    return _wrapped(f"{missing}: {more}", width, style="dim") if more else []


def _shared_out(lengths: dict[str, list[int]], room: int) -> dict[str, int]:
    """How many sentences of each block are shown: one of each at least, then in turn while there is room."""
    taken = dict.fromkeys(lengths, 0)
    open_ = list(lengths)
    while open_:
        for key in list(open_):
            place = taken[key]
            if place == len(lengths[key]) or (place and lengths[key][place] > room):
                open_.remove(key)
                continue
            taken[key] += 1
            room -= lengths[key][place]
    return taken


# ------------------------------------------------------------------ blocks


def _written(block: Block, width: int, *, whole: bool = False) -> list[Text]:
    match block:
        case Lines():
            return _lines(block, width)
        case Facts():
            return _packed(block, width) if block.brief else _facts(block, width)
        case Ranking() if whole:
            tables = [_ranking(block, laid) for laid in lay_out_whole(block.columns, block.rows, width)]
            return [*(line for lines in tables for line in (*lines, _line(""))), *_wrapped(block.note, width)]
        case Ranking():
            return _ranking(block, lay_out(block.columns, block.rows, width))
        case Table():
            return _table(block, width)
        case Code():
            return [_line(block.title, "bold"), *_code(block.text, width)]
        case Pictures():
            return _wrapped(f"{block.title}: {block.how}", width)


def _code(text: str, width: int) -> Iterator[Text]:
    """Its indentation kept, without anything that does not print."""
    for line in text.splitlines():
        yield _line(cut("".join(letter if letter.isprintable() else " " for letter in line), width))


def _labelled(block: Lines) -> list[str]:
    return [f"{block.label}: {text}" if block.label else text for text in block.lines]


def _lines(block: Lines, width: int) -> list[Text]:
    """With a label or as a head, without a heading; one short line beside it."""
    style = TONES.get(block.tone, "")
    if block.label or block.tone == "name":
        return [line for text in _labelled(block) for line in _wrapped(text, width, style=style)]
    if len(block.lines) == 1 and len(block.title) + len(block.lines[0]) + 2 <= width:
        return _wrapped(f"{block.title}: {block.lines[0]}", width, style=style)
    lines = [line for text in block.lines for line in _wrapped(text, width, indent="  ", style=style)]
    return [_line(block.title, "bold"), *lines]


def _packed(block: Facts, width: int) -> list[Text]:
    """As many on a line as fit, three spaces between them."""
    lines: list[str] = []
    for name, value in block.facts:
        part = plain(f"{name} {value}")
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f"   {part}"
        else:
            lines.append(cut(part, width))
    return [_line(line) for line in lines]


def _facts(block: Facts, width: int) -> list[Text]:
    lines = [line for name, value in block.facts for line in _wrapped(f"{name}: {value}", width, indent="  ")]
    return [_line(block.title, "bold"), *lines]


def _table(block: Table, width: int) -> list[Text]:
    """In as many tables as there is room for side by side."""
    laid = []
    for place, heading in enumerate(block.headings):
        cells = tuple(plain(row[place]) for row in block.rows)
        laid.append(Laid(heading, heading, cells, max(map(cell_len, (heading, *cells))), place in block.right))
    lines = [_line(block.title, "bold")]
    for table in side_by_side(laid, 0, width):
        lines.append(_line(_spaced(column.padded(column.title) for column in table), "dim"))
        lines += [
            _line(_spaced(column.padded(column.cells[row]) for column in table)) for row in range(len(block.rows))
        ]
    return [*lines, *(_wrapped(block.note, width, style="dim") if block.note else [])]


def _spaced(cells: Iterable[str]) -> str:
    return (" " * GAP).join(cells).rstrip()


def _ranking(block: Ranking, laid: Sequence[Laid]) -> list[Text]:
    lines = [_line((" " * GAP).join(column.padded(column.title) for column in laid), "bold")]
    for index, row in enumerate(block.rows):
        line = _line("")
        for place, column in enumerate(laid):
            text = column.padded(column.cells[index]) + (" " * GAP if place < len(laid) - 1 else "")
            line.append(text, _style(column.key, row))
        lines.append(line)
    return lines


def _style(key: str, row: VariantAnalysis) -> str:
    if key in ("verdict", "variant") or (key == "gain" and row.verdict in ("helps", "hurts")):
        return VERDICTS[row.verdict]
    return "dim" if row.verdict == "no evidence" and key == "rank" else ""
