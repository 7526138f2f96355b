"""Between Enter and the first result: a line that says what is being done, before anything slow is imported."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_study import environment, request_of, write_recipe
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.study.study import study_of

LAST = "<torch is imported>"
NO_TORCH = f"import sys\nsys.stderr.write({LAST!r})\nsys.stderr.flush()\nsys.exit(3)\n"


@pytest.mark.parametrize(
    ("command", "slow", "text"),
    [
        *((command, "torch", "loading torch ...") for command in ("run", "check", "params", "parts")),
        ("report", "numpy", "reading "),  # it never loads torch
    ],
)
def test_a_terminal_says_what_is_being_done_before_anything_slow_is_imported(
    tmp_path: Path, command: str, slow: str, text: str
):
    recipe = write_recipe(tmp_path)
    (tmp_path / slow).mkdir()
    (tmp_path / slow / "__init__.py").write_text(NO_TORCH)  # found first: the program ends where it is imported
    said, _ = in_terminal(command, *([] if command == "parts" else [str(recipe)]), first=tmp_path)
    before, found, _ = said.partition(LAST)
    assert found
    assert text in before


def test_elsewhere_nothing_is_said_of_it(tmp_path: Path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(NO_TORCH)
    words = [sys.executable, "-m", "ablate", "check", str(write_recipe(tmp_path))]
    told = subprocess.run(words, capture_output=True, text=True, env=with_first(tmp_path), check=False)
    assert told.stderr == LAST


def test_a_message_takes_the_place_of_the_stage(tmp_path: Path):
    said, code = in_terminal("check", str(tmp_path / "absent.yaml"), first=Path())
    assert code == 2
    shown = said.rpartition("\r\x1b[K")[2]
    assert "error: " in shown
    assert "loading" not in shown


def test_a_study_tells_every_stage_before_it_trains(tmp_path: Path):
    recipe, told = write_recipe(tmp_path), []
    study = study_of(request_of(recipe, tmp_path / "results"), told.append)
    names = [entry.name for entry in study.manifest.variants]
    assert told == [
        f"reading {recipe}",
        f"opening data: {study.manifest.data_description}",
        *(f"checking variant {number} of {len(names)}: {name}" for number, name in enumerate(names, 1)),
        f"weighing {len(names)} variants",
    ]


@pytest.mark.parametrize("words", [[], ["data"]])
def test_the_list_of_commands_is_whole_at_80_columns(words: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = CliRunner().invoke(app, [*words, "--help"]).output.partition("Commands:")[2].splitlines()[1:]
    assert len(listed) >= 3
    assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []


def in_terminal(*words: str, first: Path) -> tuple[str, int]:
    """What a command writes to a terminal, and its exit code. first: where its modules are looked for first."""
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "ablate", *words]
    with subprocess.Popen(
        command, stdin=secondary, stdout=secondary, stderr=secondary, env=with_first(first)
    ) as program:
        os.close(secondary)
        said = b""
        while True:
            try:
                said += (piece := os.read(primary, 65536))
            except OSError:  # the other side is closed
                break
            if not piece:
                break
    os.close(primary)
    return said.decode(), program.returncode


def with_first(folder: Path) -> dict[str, str]:
    here = environment(TERM="xterm", ABLATE_CACHE=str(folder))  # `parts` that were kept need no torch
    return {**here, "PYTHONPATH": os.pathsep.join([str(folder), here["PYTHONPATH"]])}
