"""Standard output that cannot be written, is closed or has another alphabet: nothing is lost, and the exit code is the
study's. In the time before, a table that the terminal's encoding lacked ended a trained study with a traceback.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import forked
import pytest
from tiny_study import ablate, environment, write_recipe

from ablate.cli.streams import LastingFile
from ablate.result import Store

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a shell and /dev/full")


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> tuple[Path, Path]:
    """A recipe whose question no ASCII terminal can show, and its finished study."""
    folder = tmp_path_factory.mktemp("streams")
    recipe = write_recipe(folder)
    recipe.write_text(recipe.read_text().replace("Does anything", "± ≥ Does anything"), encoding="utf-8")
    told = ablate("run", recipe, "--out", folder / "results", "--device", "cpu", "--inline")
    assert told.returncode == 0, told.stderr
    return recipe, folder / "results"


def shell(line: str, **environ: str) -> subprocess.CompletedProcess:
    """A line of bash whose exit code is that of the first command that fails in a pipe."""
    program = f"{shlex.quote(sys.executable)} -m ablate"
    line = f"set -o pipefail; {line.replace('ablate', program, 1)}"
    words = ["bash", "-c", line]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=120, env=environment(**environ), check=False, errors="replace"
    )


def redirected(line: str, rest: str) -> subprocess.CompletedProcess:
    """What `shell` gives of `ablate LINE REST`, without the start of an interpreter. stdout: what the pipe's reader
    takes, which is one line or nothing."""
    if not forked.POSSIBLE:
        return shell(f"ablate {line} {rest}")
    words = shlex.split(line)
    with tempfile.TemporaryFile() as err, open("/dev/full", "w") as full, open(os.devnull) as nothing:
        reader, writer = os.pipe()
        out = err.fileno()
        given = {0: nothing.fileno(), 1: out, 2: out} | {
            "> /dev/full": {1: full.fileno()},
            ">&-": {1: None},
            ">&- 2>&-": {1: None, 2: None},
            "2> /dev/full": {2: full.fileno()},
            "| head -1": {1: writer},
            "2>&1 | head -1": {1: writer, 2: writer},
            "| true": {1: writer},
        }[rest]
        pid = forked.fork(words, given, environment=environment(), ours=(reader, writer))
        os.close(writer)
        with open(reader, "rb", buffering=0) as pipe:
            said = pipe.readline() if "head" in rest else b""
        code = forked.wait(pid)
        err.seek(0)
        return subprocess.CompletedProcess(words, code, said.decode(), err.read().decode())


COMMANDS = {
    "report": "report {study}",
    "page": "report {study} --format markdown",
    "compare": "compare {study} {study}",
    "verify": "verify {study} --hashes-only",
    "params": "params {recipe}",
    "check": "check {recipe}",
    "parts": "parts vivit",
    "help": "--help",
}


@pytest.fixture(params=COMMANDS)
def command(request, study) -> str:
    recipe, results = study
    return COMMANDS[request.param].format(study=shlex.quote(str(results / "tiny")), recipe=shlex.quote(str(recipe)))


def test_a_reader_that_leaves_is_no_fault(command):
    told = redirected(command, "| head -1")
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("\n") == 1
    assert "Traceback" not in told.stderr
    assert "error" not in told.stderr


def test_a_full_disk_is_told_and_fails_what_is_only_printed(command):
    told = redirected(command, "> /dev/full")
    assert told.returncode == 1, told.stderr
    assert "error: standard output: No space left on device; what was printed there is not whole" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_closed_standard_output_stops_nothing(command):
    told = redirected(command, ">&-")
    assert told.returncode == 0, told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(("rest", "code"), [("| head -1", 0), ("> /dev/full", 1), (">&-", 0), (">&- 2>&-", 0)])
def test_so_it_is_where_a_shell_starts_the_interpreter(study, rest, code):
    told = shell(f"ablate report {study[1] / 'tiny'} {rest}")
    assert told.returncode == code
    assert "Traceback" not in told.stderr
    assert ("error: standard output: No space left on device" in told.stderr) == (rest == "> /dev/full")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_alphabet_without_a_character_gets_its_escape(study, encoding):
    told = shell(f"ablate report {study[1] / 'tiny'}", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert told.returncode == 0, told.stderr
    assert "\\u2265 Does anything" in told.stdout


@pytest.mark.parametrize("rest", ["> /dev/full", ">&-", ">&- 2>&-", "2> /dev/full", "2>&1 | head -1", "| true"])
def test_a_study_is_trained_to_its_end_whatever_becomes_of_its_output(tmp_path, rest):
    recipe = write_recipe(tmp_path)
    told = redirected(f"run {recipe} --out {tmp_path / 'results'} --device cpu --inline --seeds 0", rest)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    store = Store(tmp_path / "results" / "tiny")
    assert {record.state for record in store.records()} == {"done"}
    assert len(store.keys()) == 3  # the baseline, its control and the patch
    if rest == "> /dev/full":
        assert "error: standard output: No space left on device" in told.stderr


def test_the_exit_code_of_a_failing_study_outlives_its_reader(tmp_path):
    recipe = write_recipe(tmp_path)
    line = f"run {recipe} --out {tmp_path / 'results'} --device cpu --inline --set training.learning_rate=1e12"
    told = redirected(line, "2>&1 | head -1")
    assert told.returncode == 1, told.stdout


def test_a_mistake_is_one_json_document_for_a_program():
    told = ablate("report", "nowhere", "--format", "json")
    assert told.returncode == 2
    assert json.loads(told.stdout) == {
        "exit_code": 2,
        "errors": [
            {"where": "nowhere", "what": "there is no such folder", "hint": "`ablate run RECIPE` makes a study"}
        ],
    }
    assert "error: nowhere: there is no such folder" in told.stderr


def test_a_mistyped_option_is_json_too():
    told = ablate("report", "--format=json", "--htlm", "x")
    (error,) = json.loads(told.stdout)["errors"]
    assert told.returncode == 2
    assert error["where"] == "ablate report"
    assert "--html" in error["what"]
    assert error["hint"] == "ablate report --help"


@pytest.mark.parametrize(("words", "near"), [(["rnu"], "'run'"), (["run", "--sede", "1", "x"], "--seeds")])
def test_a_typo_on_the_command_line_is_told_with_what_is_near(words, near):
    told = ablate(*words)
    assert told.returncode == 2
    assert told.stderr.startswith("error: ablate")
    assert near in told.stderr
    assert told.stdout == ""


def test_a_fault_is_kept_and_later_writes_are_dropped():
    descriptor = os.open("/dev/full", os.O_WRONLY)
    file = LastingFile(descriptor)
    assert file.write(b"abc") == 3
    assert file.fault is not None
    assert file.write(memoryview(b"de")) == 2
    os.close(descriptor)
