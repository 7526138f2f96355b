"""docs/python.md is run from top to bottom, and every block of output is what the block before it printed."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_page_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed, compared = "", 0
    for kind, content in BLOCK.findall(PAGE.read_text()):
        if kind == "text":
            assert printed.splitlines() == content.splitlines()
            compared += 1
            continue
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            exec(compile(content, "docs/python.md", "exec"), names)
        printed = told.getvalue()
    assert compared == len(re.findall(r"^```text", PAGE.read_text(), re.MULTILINE)) > 8
