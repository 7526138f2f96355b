"""A report as Markdown: headings, pipe tables, lists; figures as links to those that `--save` writes beside it."""

import re
from collections.abc import Iterator, Sequence

from ablate.report.content import Block, Code, Content, Facts, Lines, Pictures, Ranking, Table
from ablate.report.text import plain


def markdown(content: Content) -> str:
    """The study's name as the heading; every block."""
    return "\n".join(line for block in content.blocks for line in (*_written(block), "")).rstrip() + "\n"


def _written(block: Block) -> Iterator[str]:
    match block:
        case Lines() if block.tone == "name":
            yield f"## {_md(block.lines[0])}"
            yield from (f"\n{_md(text)}" for text in block.lines[1:])
        case Lines() if block.tone in ("question", "answer", "alarm"):
            yield "\n\n".join(f"**{block.title}:** {_md(text)}" for text in block.lines)
        case Lines():
            yield from (f"### {_md(block.title)}", "")
            yield from (f"- {_md(text)}" for text in block.lines)
        case Facts() if block.brief:
            yield _md(" · ".join(f"{name} {value}" for name, value in block.facts))
        case Facts():
            yield from (f"### {_md(block.title)}", "")
            yield from (f"- {_md(name)}: {_md(value)}" for name, value in block.facts)
        case Ranking():
            yield from _ranking(block)
        case Table() if block.folded:
            yield from ("<details>", f"<summary>{_md(block.title)}</summary>", "")
            yield from _table(block.headings, block.rows, block.right)
            yield from ("", *((_md(block.note), "") if block.note else ()), "</details>")
        case Table():
            yield from (f"### {_md(block.title)}", "")
            yield from _table(block.headings, block.rows, block.right)
            yield from ("", _md(block.note)) if block.note else ()
        case Code():
            yield from (f"### {_md(block.title)}", "", *_fenced(block.text))
        case Pictures():
            yield from _pictures(block)


def _ranking(block: Ranking) -> Iterator[str]:
    yield from (f"### {_md(block.title)}", "")
    cells = [tuple(column.cell(row) for column in block.columns) for row in block.rows]
    right = [place for place, column in enumerate(block.columns) if column.right]
    yield from _table([column.heading for column in block.columns], cells, right)
    yield from ("", _md(block.note))


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> Iterator[str]:
    yield _pipes(map(_md, headings))
    yield _pipes("---:" if place in right else ":---" for place in range(len(headings)))
    yield from (_pipes(map(_md, row)) for row in rows)


def _pipes(cells: Iterator[str] | map) -> str:
    return f"| {' | '.join(cells)} |"


def _fenced(text: str) -> Iterator[str]:
    """In a fence longer than any in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (fence, text.rstrip("\n"), fence)


def _pictures(block: Pictures) -> Iterator[str]:
    yield from (f"### {_md(block.title)}", "", _md(block.how))
    if block.key == "figures":
        for picture in block.drawn():
            yield from ("", f"![{_md(picture.title)}](figures/{picture.name}.svg)", "", f"*{_md(picture.caption)}*")


def _md(text: str) -> str:
    """Text that Markdown shows as it is, also within a table's cell."""
    escaped = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", plain(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
