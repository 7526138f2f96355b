"""Two `ablate run` on one study at once: both are useful, and nothing is trained twice."""

import re
import subprocess
import sys

from tiny_study import environment, request_of, write_recipe

from ablate.result import Store
from ablate.study.flow import run_study

LONG = "training: {steps: 30, batch_size: 2, warmup_steps: 1, evaluate_every: 15, checkpoint_every: 10}\n"


def test_two_at_once_share_the_work_and_train_nothing_twice(tmp_path):
    recipe = write_recipe(tmp_path, training=LONG)
    words = [sys.executable, "-m", "ablate", "run", str(recipe), "--out", str(tmp_path / "results"), "--device", "cpu"]
    words += ["--variants", "fast", "--seeds", "0-2", "--inline"]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "env": environment()}
    two = [subprocess.Popen(words, **pipes) for _ in range(2)]
    said = [process.communicate(timeout=120)[1] for process in two]
    assert [process.returncode for process in two] == [0, 0], said
    store = Store(tmp_path / "results" / "tiny")
    assert [record.state for record in store.records()] == ["done"] * 6
    trained = [int(count) for text in said for count in re.findall(r"(\d+) runs? trained", text)]
    assert sum(trained) == 6, said  # one of the two may have come so early that it did all
    assert store.verify_hashes() == ()
    assert not list((store.root / "checkpoints").glob("*"))
    assert run_study(request_of(recipe, tmp_path / "results", variants="fast", seeds="0-2")).trained == 0
