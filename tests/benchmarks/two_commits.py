"""Times a training step of this tree and of another commit, in turns, and prints the medians of their ratios.

    python tests/benchmarks/two_commits.py REF [--recipe recipes/quickstart.yaml] [--variants baseline p1] [--turns 15]

Each tree runs in a process of its own, the other commit's from a work tree in a temporary folder; only one of them is
awake at a time, and each turn is a few steps of the one, then of the other. On a busy machine the clock on the wall
says little: `cpu` is processor time, and its ratio is the one to read. `evaluate` is the validation split, scored once.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def serve(recipe: str, variant: str, steps: int) -> None:
    """The child: for each line on stdin one turn, answered by seconds of processor and wall."""
    import torch

    from ablate.recipe import load_recipe
    from ablate.study.running.train import build_model, open_data
    from ablate.training import evaluate
    from ablate.training.device import keep_freed_memory
    from ablate.training.optimization.step import Learner
    from ablate.variant import lay_out

    torch.set_num_threads(1)
    device = torch.device("cpu")
    keep_freed_memory(device)
    configuration = next(v for v in lay_out(load_recipe(recipe)).variants if v.name == variant).configuration
    training = configuration.training
    data = open_data(configuration, device)
    model = build_model(configuration, data, 20, device)
    learner = Learner(model, data, training, seed=20, device=device)
    model.train()
    for taken in range(3):
        learner.step(taken)
    evaluate(model, data, "validation", batch_size=training.micro_batch_size, device=device)
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.process_time(), time.perf_counter()
        for _ in range(steps):
            loss = learner.step(training.warmup_steps).loss.item()
        stepped = time.process_time(), time.perf_counter()
        evaluate(model, data, "validation", batch_size=training.micro_batch_size, device=device)
        scored = time.process_time()
        told = {"cpu": stepped[0] - begun[0], "wall": stepped[1] - begun[1], "evaluate": scored - stepped[0]}
        print(json.dumps({**told, "loss": loss}), flush=True)


class Tree:
    """One commit's process."""

    def __init__(self, root: Path, recipe: Path, variant: str, steps: int) -> None:
        command = [sys.executable, __file__, "--serve", variant, "--recipe", str(recipe), "--steps", str(steps)]
        inside = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, cwd=root, env=inside, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "ready\n"

    def turn(self) -> dict[str, float]:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return dict[str, float](json.loads(self._line()))

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def work_tree(ref: str) -> Any:
    """The files of a commit in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", str(place), ref], cwd=ROOT, check=True)
        try:
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=ROOT, check=True)


def compare(before: Path, options: argparse.Namespace, variant: str) -> None:
    recipe = options.recipe.resolve()
    trees = [Tree(root, recipe, variant, options.steps) for root in (before, ROOT)]
    try:
        turns = [[tree.turn() for tree in trees] for _ in range(options.turns)]
    finally:
        for tree in trees:
            tree.close()
    middle = {
        name: [statistics.median(turn[side][name] for turn in turns) for side in (0, 1)]
        for name in ("cpu", "wall", "evaluate")
    }
    ratio = {name: statistics.median(old[name] / new[name] for old, new in turns) for name in middle}
    step = [1e3 * seconds / options.steps for seconds in middle["cpu"]]
    print(
        f"{variant:12} step, cpu {step[0]:7.2f} -> {step[1]:7.2f} ms, {ratio['cpu']:5.2f}x"
        f"   wall {ratio['wall']:5.2f}x   evaluate, cpu {ratio['evaluate']:5.2f}x",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ref", nargs="?", default="HEAD")
    parser.add_argument("--recipe", type=Path, default=ROOT / "recipes/quickstart.yaml")
    parser.add_argument("--variants", nargs="+", default=["baseline"])
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(str(options.recipe), options.serve, options.steps)
        return
    print(f"{options.recipe.name}, one thread, {options.ref} -> this tree; load {os.getloadavg()[0]:.1f}")
    with work_tree(options.ref) as before:
        for variant in options.variants:
            compare(before, options, variant)


if __name__ == "__main__":
    main()
