"""A report as one self-contained HTML file: no script, no outside address, printable, light and dark.

`page.html` is the template. Everything is escaped but the drawings, which `vector` makes.
"""

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup, escape

from ablate.disk.whole import write_bytes, writing
from ablate.report.columns import Column
from ablate.report.content import Content, Lines, Picture
from ablate.report.figures.style import BASELINE, INK, OKABE_ITO, Look, looks
from ablate.report.writer.page.vector import inline_svg

HERE = Path(__file__).parent
HEAD = ("alarm", "name", "question", "answer")
"""Tones of what stands above the first section."""
UNBROKEN = re.compile(r"->|\[[^\]]*\](?: %)?|[+-]?[\d.]+ (?:%|[kMGTs]\b|GB|MB|min|h\b)")
"""What a line is never broken within: an arrow, an interval, a figure and its unit."""


def write_page(content: Content, path: Path) -> None:
    """Writes the page, whole or not at all. Raises AblateError where it cannot write."""
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, page(content).encode())


def page(content: Content) -> str:
    """The whole document."""
    style = {} if content.analysis is None else looks(content.analysis)
    text = template().render(
        content=content,
        analysis=content.analysis,
        head=[block for block in content.blocks if isinstance(block, Lines) and block.tone in HEAD],
        body=[block for block in content.blocks if not (isinstance(block, Lines) and block.tone in HEAD)],
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        dot=lambda name: dot(style.get(name)),
    )
    return str(text).lstrip()


@cache
def template() -> Template:
    """Text that does not print is left out wherever it stands."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if isinstance(value, str) else value,
    )
    made.filters |= {"unbroken": unbroken, "held": held, "drawing": drawing, "kind": lambda block: type(block).__name__}
    made.globals |= {"of_part": of_part}
    return made.get_template("page.html")


def printable(text: str) -> str:
    """Without control characters (escape sequences among them); new lines stay. Markup stays markup."""
    kept = "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in text)
    return Markup(kept) if isinstance(text, Markup) else kept


def unbroken(text: str) -> Markup:
    """Escaped, with intervals and figures with their units held together."""
    parts: list[str] = []
    end = 0
    for found in UNBROKEN.finditer(text):
        parts += [escape(text[end : found.start()]), Markup('<span class="nowrap">{}</span>').format(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def held(text: str) -> str:
    """A sentence with each number and its % on one line."""
    return text.replace(" %", "\u00a0%")


def of_part(columns: tuple[Column, ...], part: str) -> list[Column]:
    """The columns of one of the two tables; each names the variant."""
    return [column for column in columns if column.part == part or column.key == "variant"]


def dot(look: Look | None) -> Markup:
    """The colour of a variant in every figure; nothing for any other word."""
    if look is None:
        return Markup("")
    known = {INK: "currentColor", BASELINE: "var(--baseline)"}
    color = known.get(look.color) or f"var(--c{OKABE_ITO.index(look.color)})"
    shape = "dot" if look.marker == "o" else "dot cycle"
    return Markup('<span class="{}" style="background: {}"></span>').format(shape, color)


def drawing(picture: Picture) -> Markup:
    """The figure as inline SVG, with its title for screen readers."""
    label = f"{picture.title}, {picture.variant}" if picture.variant else picture.title
    return inline_svg(picture.figure, picture.name, label, scale=picture.scale)
