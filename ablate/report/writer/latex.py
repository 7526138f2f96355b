r"""A report for a paper: the ranked table with booktabs rules, in as many parts as fit a page; the rest as comments.

Wants `\usepackage{booktabs, graphicx}`. Nothing that a recipe holds can be read as a command.
"""

from collections.abc import Iterator, Sequence

from ablate.analysis.outcome import VariantAnalysis
from ablate.report.columns import Column
from ablate.report.content import Content, Lines, Ranking
from ablate.report.text import plain
from ablate.report.writer.terminal import View

PARTS = ("gain", "beside")
GROUPS = (("variant", "control"), ("reference", "baseline"))
"""Rows between two rules."""
COMMENT_WIDTH = 118


def latex(content: Content) -> str:
    """Alarms and the answer are in the caption; every other block is a comment."""
    tables = [block for block in content.blocks if isinstance(block, Ranking)]
    said = [block for block in content.blocks if isinstance(block, Lines) and block.tone in CAPTION]
    caption = " ".join(line for block in said for line in block.lines)
    others = tuple(block for block in content.blocks if block not in tables and block not in said)
    comments = View(Content(content.title, others), details=True).lines(COMMENT_WIDTH)
    lines = [r"% \usepackage{booktabs, graphicx}"]
    for block in tables:
        for part in PARTS:
            lines += _table(block, part, caption if part == PARTS[0] else f"{block.title}, continued.")
        lines.append(f"% {plain(block.note)}")
    return "\n".join([*lines, *(f"% {line.plain}".rstrip() for line in comments)]) + "\n"


CAPTION = ("alarm", "question", "answer")


def _table(block: Ranking, part: str, caption: str) -> Iterator[str]:
    columns = [column for column in block.columns if column.part == part or column.key == "variant"]
    if len(columns) < 2:
        return
    groups = [_rows(columns, [row for row in block.rows if row.role in roles]) for roles in GROUPS]
    yield from (r"\begin{table}", r"\centering", rf"\caption{{{_tex(caption)}}}", r"\resizebox{\textwidth}{!}{%")
    yield rf"\begin{{tabular}}{{{''.join(map(_side, columns))}}}"
    yield from (r"\toprule", " & ".join(_tex(column.heading) for column in columns) + r" \\", r"\midrule")
    yield "\n\\midrule\n".join(group for group in groups if group)
    yield from (r"\bottomrule", r"\end{tabular}}", r"\end{table}")


def _side(column: Column) -> str:
    """Words are broken into lines; figures are not."""
    return "p{5cm}" if column.min_width is not None else "r" if column.right else "l"


def _rows(columns: Sequence[Column], rows: Sequence[VariantAnalysis]) -> str:
    return "\n".join(" & ".join(_tex(column.cell(row)) for column in columns) + r" \\" for row in rows)


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "±": r"$\pm$",
    "×": r"$\times$", "…": r"\ldots{}", "|": r"\textbar{}", '"': r"\symbol{34}", "[": "{[}", "]": "{]}",
    "−": "$-$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\rightarrow$", "·": r"$\cdot$",
}  # fmt: skip


def _tex(text: str) -> str:
    r"""Escaped for LaTeX; brackets too, since one that opens a row would be read as the option of `\\`."""
    return "".join(_TEX.get(letter, letter) for letter in plain(text))
