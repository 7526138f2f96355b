"""The whole program with every logger that is installed: each holds every run, told twice of none, and stdout is the
table alone.
"""

import os
from importlib.util import find_spec

import pytest
from tiny_study import ablate, write_recipe

from ablate.logger import LOGGERS
from ablate.result import Store

INSTALLED = [name for name, kind in LOGGERS.items() if find_spec(kind.needs)]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INSTALLED, reason=f"none of the extras is installed: {', '.join(LOGGERS)}"),
    pytest.mark.filterwarnings("default"),
]


@pytest.mark.usefixtures("_own_cache")
def test_each_is_told_of_every_run_and_of_none_twice(tmp_path, monkeypatch):
    for name in ("DO_NOT_TRACK", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "1")
    for name in ("WANDB_DIR", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    words = ["run", write_recipe(tmp_path), "--out", tmp_path / "out", "--workers", "1", "--device", "cpu"]
    plain = ablate(*words, "--log", ",".join(INSTALLED), cwd=tmp_path)
    assert plain.returncode == 0, plain.stderr
    store = Store.of(tmp_path / "out", "tiny")
    for name in INSTALLED:
        assert f"log: {name}, shown by `" in plain.stderr
    for line in plain.stdout.splitlines():
        assert not line.startswith(("* ", "wandb", "INFO", "20"))
    held = {name: keys_in(name, store) for name in INSTALLED}
    for name, keys in held.items():
        assert {*store.keys()} < keys, name
        assert len(keys) == len(store.keys()) + 1  # the verdicts
    told = files(tmp_path)
    again = ablate(*words, "--log", ",".join(INSTALLED), cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert {name: keys_in(name, store) for name in INSTALLED} == held
    assert files(tmp_path) == told


def keys_in(name, store):
    """Asked in a process of its own: some read the environment when they are imported."""
    import subprocess
    import sys

    script = f"""
from pathlib import Path
from ablate.logger import LOGGERS
logger = LOGGERS[{name!r}]().build("tiny", Path({str(store.root)!r}))
print(*logger.held())
logger.close()
"""
    end = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ, check=True)
    return {*end.stdout.split()}


def files(folder):
    """What loggers wrote: event files of TensorBoard, runs of W&B."""
    found = (path for kind in ("**/events.out.*", "**/*.wandb") for path in folder.glob(kind))
    return {str(path): path.stat().st_size for path in found}
