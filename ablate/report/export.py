"""The report as text for other programs and other documents: `--format table | markdown | csv | json | latex | units`.

The first five carry the same rows in the same order; `units` turns from variants to single units. Each says so where a
rehearsal's numbers are not results.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from ablate.analysis import StudyAnalysis, VariantAnalysis
from ablate.analysis.headline import REHEARSAL
from ablate.analysis.words import (
    ABSENT,
    change,
    count,
    expected_range,
    number,
    p_value,
    percent,
    percent_with_interval,
    ratio,
    with_interval,
)
from ablate.errors import AblateError
from ablate.report.columns import plain, verdict_words
from ablate.report.rows import flat_row, study_record
from ablate.report.table import beneath_texts, landmarks, table_text
from ablate.report.units import units_text

Format = Literal["table", "markdown", "csv", "json", "latex", "units"]

WIDTH = 140


def render(analysis: StudyAnalysis, format: str = "table", width: int = WIDTH) -> str:
    """The report in one of the formats. Raises AblateError for an unknown one. width: of `table` alone."""
    writers: dict[str, Callable[[], str]] = {
        "table": lambda: table_text(analysis, width),
        "markdown": lambda: markdown(analysis),
        "csv": lambda: csv_text(analysis),
        "json": lambda: json_text(analysis),
        "latex": lambda: latex(analysis),
        "units": lambda: units_text(analysis),
    }
    if format not in writers:
        raise AblateError(f"unknown format `{format}`", hint=f"one of {', '.join(get_args(Format))}")
    return writers[format]()


# ------------------------------------------------------------------ for programs


def json_text(analysis: StudyAnalysis) -> str:
    """One object: study, question, metric, rehearsal, rows, notes, attribution, ..."""
    return json.dumps(study_record(analysis), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def csv_text(analysis: StudyAnalysis) -> str:
    """One line a variant; `status` is `rehearsal: numbers are not results` where they are not."""
    status = "rehearsal: numbers are not results" if analysis.rehearsal else "results"
    lines = [
        {"study": analysis.name, "status": status, "metric": analysis.metric, **flat_row(row)} for row in analysis.rows
    ]
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _csv_cell(value) for name, value in line.items()} for line in lines)
    return written.getvalue()


def _csv_cell(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, list) else value


# ------------------------------------------------------------------ for documents

Column = tuple[str, str, Callable[[VariantAnalysis], str]]


def _document_columns(analysis: StudyAnalysis) -> list[Column]:
    """Title, alignment (l or r) and cell of each column that a page has room for; empty ones left out."""
    relative = any(row.gain is not None and row.gain.relative is not None for row in analysis.rows)
    made: list[Column] = [
        ("#", "r", lambda row: ABSENT if row.rank is None else str(row.rank)),
        ("variant", "l", lambda row: row.name),
        (
            "what it changes",
            "l",
            lambda row: row.changes or ("nothing (control)" if row.role == "control" else row.title),
        ),
        (f"{analysis.unit}, 95 %", "l", _score),
        ("accuracy", "r", lambda row: number(row.accuracy)),
        ("gain, 95 %", "l", _gain_relative if relative else _gain),
        *([(f"gain in {analysis.unit}", "l", _gain)] if relative else []),
        ("Holm p", "r", lambda row: p_value(row.gain.p_holm) if row.gain else ""),
        ("expected", "l", lambda row: expected_range(row.prediction.expected if row.prediction else None)),
        ("verdict", "l", verdict_words),
        ("gap", "r", lambda row: "" if row.gap.share is None else percent(row.gap.share, 0)),
        ("ceiling", "r", lambda row: percent(row.ceiling_share, 0)),
        ("parameters", "r", _parameters),
        ("FLOPs", "r", lambda row: ratio(row.cost.flops_ratio)),
        ("seeds", "r", lambda row: row.finite),
    ]
    always = {"#", "variant", "verdict"}
    return [
        item for item in made if item[0] in always or any(item[2](row) not in ("", ABSENT) for row in analysis.rows)
    ]


def _score(row: VariantAnalysis) -> str:
    return ABSENT if row.score is None else with_interval(row.score.mean, row.score.interval)


def _gain(row: VariantAnalysis) -> str:
    return "" if row.gain is None else with_interval(row.gain.mean, row.gain.interval, sign=True)


def _gain_relative(row: VariantAnalysis) -> str:
    return "" if row.gain is None else percent_with_interval(row.gain.relative, row.gain.relative_interval)


def _parameters(row: VariantAnalysis) -> str:
    total = count(row.cost.total_parameters)
    known = row.cost.parameters_ratio not in (None, 1.0)
    return f"{total} ({change(row.cost.parameters_ratio)})" if known else total


def markdown(analysis: StudyAnalysis) -> str:
    """A heading, the answer, a pipe table and the lines beneath as a list."""
    columns = _document_columns(analysis)
    lines = [f"## {_md(analysis.name)}", ""]
    if analysis.rehearsal:
        lines += [f"**{_md(REHEARSAL)}**", ""]
    lines += [f"**Question:** {_md(analysis.question)}", ""]
    lines += [f"**Answer:** {_md(analysis.answer.removeprefix(REHEARSAL).strip())}", ""]
    lines += [_md(" · ".join(landmarks(analysis))), ""]
    lines.append(_pipes([_md(title) for title, _, _ in columns]))
    lines.append(_pipes(["---:" if side == "r" else ":---" for _, side, _ in columns]))
    lines += [_pipes([_md(cell(row)) for _, _, cell in columns]) for row in analysis.rows]
    lines += ["", *(f"- {_md(text)}" for text in beneath_texts(analysis))]
    return "\n".join(lines) + "\n"


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _md(text: str) -> str:
    """Text that Markdown shows as it is, also within a table's cell."""
    escaped = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", plain(text))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def latex(analysis: StudyAnalysis) -> str:
    r"""A `table` with booktabs rules (`\usepackage{booktabs}`); wide ones want `\small` or a landscape page."""
    columns = [item for item in _document_columns(analysis) if item[0] != "what it changes"]
    head = f"{REHEARSAL} " if analysis.rehearsal else ""
    caption = f"{head}{analysis.question} {analysis.answer.removeprefix(REHEARSAL).strip()}"
    groups = [_latex_rows(columns, [row for row in analysis.rows if row.role in roles]) for roles in _LATEX_GROUPS]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_tex(caption)}}}",
        rf"\begin{{tabular}}{{{''.join(side for _, side, _ in columns)}}}",
        r"\toprule",
        " & ".join(_tex(title) for title, _, _ in columns) + r" \\",
        r"\midrule",
        "\n\\midrule\n".join(group for group in groups if group),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    comments = [f"% {plain(text)}" for text in beneath_texts(analysis)]
    return "\n".join([*lines, *comments]) + "\n"


_LATEX_GROUPS = (("variant", "control"), ("reference", "baseline"))


def _latex_rows(columns: Sequence[Column], rows: Sequence[VariantAnalysis]) -> str:
    return "\n".join(" & ".join(_tex(cell(row)) for _, _, cell in columns) + r" \\" for row in rows)


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "±": r"$\pm$",
    "×": r"$\times$", "…": r"\ldots{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "[": "{[}", "]": "{]}",
}  # fmt: skip


def _tex(text: str) -> str:
    r"""Escaped for LaTeX; brackets too, since one that opens a row would be read as the option of `\\`."""
    return "".join(_TEX.get(letter, letter) for letter in plain(text))
