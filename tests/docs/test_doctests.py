"""The examples in docstrings say what is so; `import ablate` loads nothing heavy."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import ablate

ROOT = Path(__file__).parents[2]


def test_the_examples_of_the_python_functions_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(ablate, raise_on_error=False)
    assert found.failed == 0
    assert found.attempted >= 10


def test_importing_ablate_loads_nothing() -> None:
    program = "import sys; before = set(sys.modules); import ablate; print(*sorted(set(sys.modules) - before))"
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "ablate" in told.stdout.split()
    heavy = {"torch", "numpy", "pandas", "pydantic", "scipy", "typer"} & set(told.stdout.split())
    assert not heavy, heavy
