"""A recipe whose whole study trains in a second or two: 8 x 8 pixels, 2,000 frames, six steps."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import forked

from ablate.request import Request
from ablate.result import Store

ROOT = Path(__file__).parents[1]

DATA = """\
data: {type: synthetic_v1, sessions: 1, units: 4, frames: 2000, height: 8, width: 8, behaviors: 2, bin_rate_hz: 60,
  window: 16, warmup: 8, score_every: 8, min_spikes: 1, sessions_per_batch: 1, split: {blocks: 1}}
"""
BASELINE = """\
baseline:
  type: encoder
  adapter: {type: none}
  frontend: {type: none}
  core:
    type: vivit
    tokenizer: {kernel_size: [4, 4, 4], stride: [4, 4, 4]}
    embedding_dim: 8
    num_spatial_blocks: 1
    num_temporal_blocks: 1
    num_heads: 1
    head_dim: 8
    ff_dim: 8
  modulator: {type: none}
  readout: {type: gaussian}
"""
TRAINING = "training: {steps: 6, batch_size: 16, warmup_steps: 1, evaluate_every: 3}\n"
PATCHES = """\
patches:
  fast: {title: a higher learning rate, training: {learning_rate: 3.0e-3}}
"""
TAIL = "variants: [each]\nseeds: [0]\n"


def recipe_text(
    *,
    name: str = "tiny",
    data: str = DATA,
    baseline: str = BASELINE,
    training: str = TRAINING,
    patches: str = PATCHES,
    tail: str = TAIL,
) -> str:
    head = f"name: {name}\nquestion: Does anything help a very small model?\n"
    return head + data + baseline + training + patches + "references: {}\n" + tail


def write_recipe(folder: Path, **sections: str) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(recipe_text(**sections))
    return path


def request_of(recipe: Path, out: Path, **options) -> Request:
    """Everything in this process, on the CPU."""
    return Request(recipe=recipe, out=out, **{"device": "cpu", "inline": True, **options})


def run_files(store: Store, *names: str) -> dict[str, bytes]:
    """The bytes of the runs' files by `key/name`."""
    return {f"{key}/{name}": (store.folder(key) / name).read_bytes() for key in _keys(store) for name in names}


def _keys(store: Store) -> tuple[str, ...]:
    return store.keys()


def plain(store: Store) -> dict[str, dict]:
    """The records by key, without what tells when and how fast, and without the state of the tree the tests run in."""
    records = {}
    for key, record in store.scan().records.items():
        told = record.model_dump(mode="json")
        for name in ("started", "finished"):
            told.pop(name)
        told["environment"].pop("git")
        if told["usage"]:
            for name in ("seconds", "cpu_seconds", "step_milliseconds", "peak_memory_bytes"):
                told["usage"].pop(name)
        records[key] = told
    return records


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "140", **more}


def ablate(*words: object, cwd: Path | None = None, **options) -> subprocess.CompletedProcess:
    """The program in a process of its own."""
    if not forked.POSSIBLE:
        command = [sys.executable, "-m", "ablate", *map(str, words)]
        settings = {"capture_output": True, "text": True, "timeout": 120, "check": False, **options}
        return subprocess.run(command, cwd=cwd, env=environment(), **settings)
    command = list(map(str, words))
    with open(os.devnull) as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given = {0: nothing.fileno(), 1: out.fileno(), 2: err.fileno()}
        code = forked.wait(forked.fork(command, given, environment=environment(), cwd=cwd))
        said = [file.seek(0) or file.read().decode() for file in (out, err)]
    return subprocess.CompletedProcess(command, code, *said)
