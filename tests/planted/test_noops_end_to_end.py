"""Ten planted no-ops in one recipe: `ablate check` and `ablate run` refuse all of them at once, before training."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tiny_study import ablate

from ablate.cli.app import main

HEAD = """\
name: noops
question: Which of these patches does anything?
data: {type: synthetic_v1, sessions: 1, units: 3, frames: 4000, height: 8, width: 8, behaviors: 3, window: 24,
  warmup: 8, split: {blocks: 1}, min_spikes: 0}
baseline:
  adapter: {grid: 8}
  frontend: {taps: 4, channels: 2}
  core: {tokenizer: {kernel_size: [8, 4, 4], stride: [8, 4, 4]}, embedding_dim: 8, num_spatial_blocks: 0,
    num_temporal_blocks: 0, num_heads: 1, head_dim: 8, ff_dim: 8}
  modulator: none
training: {steps: 200, warmup_steps: 10, schedule: constant}
glm: false
"""
NOOPS = """\
  the_default: {core: {dropout: 0.1}}
  a_default_restored: {core: {qk_norm: null}}
  unused_option: {frontend: {window: hann_dead_ends}}
  behavior_that_nobody_reads: {data: {behavior: acausal}}
  patience_that_never_ends: {training: {patience: 5}}
  more_checkpoints: {training: {checkpoint_every: 50}}
  end_of_a_constant_schedule: {training: {final_fraction: 0.5}}
  dead_branch: {core: {dropout: 0.5}}
  duplicate: {frontend: {params: {channels: 3}}}
  nested_key_that_loses: {frontend: {taps: 6}}
"""
REAL = """\
  channels: {frontend: {channels: 3}}
  taps: {frontend: {taps: 5}}
"""
VARIANTS = """\
variants:
  - each
  - [nested_key_that_loses, taps]
"""


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def in_this_process(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Saves the seconds that importing torch takes."""

    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["ablate", *words])
        with pytest.raises(SystemExit) as left:
            main()
        said = capfd.readouterr()
        return Ended(left.value.code, said.out, said.err)

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, patches: str, variants: str) -> str:
    text = f"{HEAD}patches:\n{patches}{variants}seeds: [0]\n"
    (folder / "noops.yaml").write_text(text)
    return text


def check_refusal(ended: Ended | CompletedProcess[str], recipe: str) -> None:
    """Exit code 2, and each no-op in one message of its own that names its line."""
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    errors = [block for block in ended.stderr.split("\n\n") if block.startswith("error: ")]
    planted = re.findall(r"^  (\w+): ", NOOPS, re.MULTILINE)
    assert len(planted) == len(errors) == 10
    for name in planted:
        (error,) = [error for error in errors if f"`{name}`" in error]
        assert "changes nothing" in error or "make the same configuration" in error
        line = int(re.match(r"error: noops\.yaml:(\d+): ", error)[1])
        assert name in recipe.splitlines()[line - 1]


def test_check_refuses_ten_planted_noops_at_once(folder):
    recipe = write(folder, REAL + NOOPS, VARIANTS)
    check_refusal(ablate("check", "noops.yaml"), recipe)


def test_run_refuses_them_too_before_it_writes_anything(folder, in_this_process):
    recipe = write(folder, REAL + NOOPS, VARIANTS)
    check_refusal(in_this_process("run", "noops.yaml", "--out", "out"), recipe)
    assert not (folder / "out").exists()


def test_the_real_patches_among_them_are_accepted(folder, in_this_process):
    write(folder, REAL, "variants: [each]\n")
    ended = in_this_process("check", "noops.yaml")
    assert ended.returncode == 0, ended.stderr
    assert "taps 4 -> 5" in ended.stdout
