"""The list of parts is kept under the hash of the code: a second `ablate parts` loads no torch and says the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_study import ROOT, environment
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.cli.catalogued import catalogued
from ablate.disk import kept as keeper
from ablate.errors import AblateError
from ablate.recipe.vocabulary import catalogue
from ablate.recipe.vocabulary.catalogue import all_parts


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry each time the classes are asked."""
    parts, asked = all_parts(), list[int]()
    monkeypatch.setattr(catalogue, "all_parts", lambda: asked.append(1) or parts)
    return asked


@pytest.mark.parametrize("words", [["parts"], ["parts", "vivit"], ["parts", "--format", "json"]])
def test_the_second_list_is_the_first_and_loads_no_torch(
    cache: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "140")  # as the other process is given
    ours = [place for place in sys.path if "thirdparty_files" not in place]  # a Ray that was imported brings packages
    monkeypatch.setattr(sys, "path", ours)
    fresh = CliRunner().invoke(app, words).stdout
    refused = "import sys; sys.modules['torch'] = None; from ablate.cli.app import main; main()"
    command = [sys.executable, "-c", refused, *words]
    kept = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment()).stdout
    assert kept == fresh
    assert len(kept) > 200


def test_they_are_asked_once(cache: Path, made: list[int]):
    assert catalogued() == catalogued() == all_parts()
    assert len(made) == 1


def test_other_code_has_other_parts(cache: Path, made: list[int], monkeypatch: pytest.MonkeyPatch):
    catalogued()
    monkeypatch.setattr(keeper, "code_hash", lambda: "other")
    catalogued()
    catalogued()
    assert len(made) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"code": "x"}), "\0"])
def test_what_is_no_list_of_parts_is_made_again(cache: Path, made: list[int], text: str):
    catalogued()
    (cache / "parts.json").write_text(text)
    assert catalogued() == all_parts()
    assert len(made) == 2


def test_a_cache_that_cannot_be_written_costs_time_alone(cache: Path, made: list[int], monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AblateError("cannot be written")

    monkeypatch.setattr(keeper, "write_bytes", refuse)
    assert catalogued() == catalogued() == all_parts()
    assert len(made) == 2
