"""Provenance tells what made a number, and nothing private."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.result import environment
from ablate.result.environment import git_state

ROOT = Path(__file__).parents[2]


def git(folder: Path, *arguments: str) -> str:
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **who}).stdout.strip()


def test_versions_and_processor_are_told():
    told = environment(device={"name": "cpu", "precision": "float32"})
    assert {"torch", "numpy", "pydantic"} <= set(told["packages"])
    assert told["python"].count(".") == 2
    assert told["cores"] >= 1
    assert told["device"] == {"name": "cpu", "precision": "float32"}


def test_no_host_user_or_path_is_told(tmp_path):
    text = str(environment(folder=tmp_path))
    assert str(Path.home()) not in text.replace("/", " / ") or str(Path.home()) == "/"
    assert str(tmp_path) not in text
    assert sys.prefix not in text


def test_the_commit_and_whether_it_was_changed_are_told(tmp_path):
    assert git_state(tmp_path) == {}
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == {}  # no commit yet
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_state(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {"commit": commit, "dirty": True}


@pytest.mark.parametrize("name", ["out", ".out", "größe"])
def test_tables_that_a_study_wrote_are_no_change_of_the_code(tmp_path, name):
    git(tmp_path, "init", "-q")
    results, code = tmp_path / name / "results", tmp_path / name / "results.py"
    results.mkdir(parents=True)
    for file in (results / "table one.md", code):
        file.write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    (results / "table one.md").write_text("2")
    assert git_state(tmp_path)["dirty"]
    assert not git_state(tmp_path, results)["dirty"]
    assert not git_state(tmp_path / name, results)["dirty"], "asked from within"
    assert git_state(tmp_path, tmp_path)["dirty"], "the whole tree is no folder of results"
    assert git_state(tmp_path, tmp_path.parent)["dirty"], "nor is what lies outside"
    git(tmp_path, "mv", f"{name}/results/table one.md", f"{name}/results/two.md")
    assert not git_state(tmp_path, results)["dirty"]
    code.write_text("2")
    assert git_state(tmp_path, results)["dirty"]


def test_records_are_read_without_loading_torch():
    code = "import sys, ablate.result; assert not {'torch', 'numpy', 'timm'} & set(sys.modules), sorted(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
