"""No writer leaves anything out: each shows every block of a report and, of every row, the cell of every column."""

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import get_args

import pytest
from drawn_study import analysed, rich
from figures.test_model_figures import picture

from ablate.report import View, compose, render
from ablate.report.columns import all_columns, columns
from ablate.report.content import Block, Code, Content, Facts, Lines, Pictures, Ranking, Table
from ablate.report.writer.latex import _TEX, latex
from ablate.report.writer.markdown import markdown
from ablate.report.writer.page import page
from ablate.report.writer.table_data import json_text
from ablate.result import Store
from ablate.result.picture import write_picture

WIDTH = 160
Cells = set[tuple[str, str, str]]
"""Variant, heading of a column, cell."""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """Of a study with everything that can be said of one: every kind of block, figures and a fitted model too."""
    folder = tmp_path_factory.mktemp("study")
    write_picture(folder, picture())
    planted = rich()
    planted.manifest_fields |= {"recipe_text": "name: planted\nseeds: [0, 1, 2]\n", "overrides": ("training.steps=9",)}
    analysis = analysed(planted)
    rows = [replace(row, keys=((0, picture().key),)) if row.role == "baseline" else row for row in analysis.rows]
    return compose(replace(analysis, rows=tuple(rows)), Store(folder))


def one_line(text: str) -> str:
    return " ".join(text.split())


def terminal(content: Content) -> str:
    return one_line("\n".join(line.plain for line in View(content, details=True).lines(WIDTH)))


def plain_markdown(content: Content) -> str:
    return one_line(html.unescape(re.sub(r"^- |^#+ ", "", markdown(content), flags=re.M).replace("\\", "")))


def plain_latex(content: Content) -> str:
    text = re.sub(r"^% ?", "", latex(content), flags=re.M)
    for letter, written in sorted(_TEX.items(), key=lambda pair: -len(pair[1])):
        text = text.replace(written, letter)
    return one_line(text)


def plain_page(content: Content) -> str:
    return one_line(html.unescape(re.sub(r"<[^>]+>", "", page(content))))


def plain_json(content: Content) -> str:
    def values(held: object) -> Iterable[str]:
        if isinstance(held, dict):
            for name, value in held.items():
                yield name
                yield from values(value)
        elif isinstance(held, list):
            for value in held:
                yield from values(value)
        else:
            yield str(held)

    return one_line(" ".join(values(json.loads(json_text(content))["report"])))


WRITERS: dict[str, Callable[[Content], str]] = {
    "terminal": terminal,
    "markdown": plain_markdown,
    "latex": plain_latex,
    "page": plain_page,
    "json": plain_json,
}


def said(block: Block, *, drawn: bool) -> Iterable[str]:
    """Every text that a block holds, but for the ranking's, which has a test of its own.

    drawn: the writer shows figures; one that cannot says how to get them.
    """
    match block:
        case Lines():
            yield from block.lines
        case Facts():
            yield from (part for fact in block.facts for part in fact)
        case Ranking():
            yield block.note
        case Table():
            yield from (*block.headings, *(cell for row in block.rows for cell in row), block.note)
        case Code():
            yield from block.text.splitlines()
        case Pictures() if drawn:
            yield from (text for picture in block.drawn() for text in (picture.title, picture.caption))
        case Pictures():
            yield from (block.title, block.how)


def test_the_study_of_these_tests_has_every_kind_of_block(content):
    assert {type(block) for block in content.blocks} == set(get_args(Block))
    assert len({block.key for block in content.blocks}) == len(content.blocks)


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_shows_every_block(writer, content):
    text = WRITERS[writer](content)
    drawn = writer == "page"
    parts = [(block.key, part) for block in content.blocks for part in said(block, drawn=drawn)]
    missing = {(key, part) for key, part in parts if one_line(part) not in text}
    assert missing == set()


# ------------------------------------------------------------------ columns


def markdown_cells(content: Content) -> Cells:
    lines = html.unescape(markdown(content).replace("\\", "")).splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("| # |"))
    body = lines[start : lines.index("", start)]
    return cells([split(line.strip("|"), "|") for line in (body[0], *body[2:])])


def latex_cells(content: Content) -> Cells:
    found: Cells = set()
    for body in re.findall(r"\\toprule(.*?)\\bottomrule", latex(content), flags=re.DOTALL):
        rows = [split(line.removesuffix(r"\\"), " & ") for line in body.splitlines() if line.endswith(r"\\")]
        found |= cells([[plain_tex(cell) for cell in row] for row in rows])
    return found


def plain_tex(text: str) -> str:
    for letter, written in sorted(_TEX.items(), key=lambda pair: -len(pair[1])):
        text = text.replace(written, letter)
    return text


def page_cells(content: Content) -> Cells:
    found: Cells = set()
    for table in re.findall(r'<table class="ranked">(.*?)</table>', page(content), flags=re.DOTALL):
        rows = re.findall(r"<tr.*?>(.*?)</tr>", table, flags=re.DOTALL)
        found |= cells([re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, flags=re.DOTALL) for row in rows])
    return {tuple(html.unescape(re.sub(r"<[^>]+>", "", part)) for part in triple) for triple in found}  # type: ignore[misc]


def split(line: str, by: str) -> list[str]:
    return [cell.strip() for cell in f" {line} ".split(by)]


def cells(rows: list[list[str]]) -> Cells:
    headings = rows[0]
    assert {len(row) for row in rows} == {len(headings)}
    named = headings.index("variant")
    return {(row[named], heading, cell) for row in rows[1:] for heading, cell in zip(headings, row, strict=True)}


@pytest.mark.parametrize("read", [markdown_cells, latex_cells, page_cells])
def test_every_writer_shows_every_column_of_every_row(read, content):
    analysis = content.analysis
    wanted = {
        (row.name, column.heading, one_line(column.cell(row)))
        for row in analysis.rows
        for column in columns(analysis)
        if not (read is page_cells and column.key == "verdict")  # there with its colour and all of its note
    }
    found = {(name, heading, one_line(cell)) for name, heading, cell in read(content)}
    assert wanted - found == set()


def test_the_page_shows_every_verdict_with_its_note(content):
    shown = {name: cell for name, heading, cell in page_cells(content) if heading == "verdict"}
    for row in content.analysis.rows:
        assert row.verdict in shown[row.name]
        assert row.verdict_note in shown[row.name]


def test_csv_and_json_hold_the_fields_of_every_column(content):
    analysis = content.analysis
    wanted = {name for column in all_columns(analysis) for name in column.fields(analysis.rows[0])}
    assert wanted
    assert wanted <= set(next(csv.reader(io.StringIO(render(analysis, "csv")))))
    assert all(wanted <= set(row) for row in json.loads(json_text(content))["rows"])


def test_no_column_stands_twice(content):
    keys = [column.key for column in all_columns(content.analysis)]
    assert len(keys) == len(set(keys))
