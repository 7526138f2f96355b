"""What a training step keeps for its backward pass, with and without `activation_checkpointing`, and what that costs.

    python tests/benchmarks/activations.py [--models baseline p1 resnet hybrid] [--turns 5] [--keep]

kept, peak   bytes alive after the forward pass, and at most during the whole step, parameters and the batch left out:
             of `vivit_fixes`' models at its batch of 16 windows of 300 frames, 51 x 51, in fp32, on the meta device,
             whose tensors have sizes but no numbers. Operations are those of a card; what its libraries allocate for
             themselves is not among it.
time         processor time of a step over that of the step without, in turns in one process, with two of the windows
             of `training_step.py` (25 frames, 51 x 51), one thread
"""

import argparse
import statistics
import time
import weakref
from typing import Any

import torch
from kept import ROOT, ask_to_keep, measuring
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from training_step import MODELS, batch, spec, step_of

from ablate.contract import EncodingBatch, EncodingSpec, Model, SessionSpec, SessionWindows, Target
from ablate.model.cost import outline
from ablate.model.encoder import EncoderConfig
from ablate.recipe import load_recipe
from ablate.training.device import keep_freed_memory
from ablate.variant import lay_out

BATCH, WINDOW, SIDE, BEHAVIORS, UNITS = 16, 300, 51, 42, 20


class Alive(TorchDispatchMode):
    """Bytes of all that operations gave while this was on, and that something still holds: now, and at most."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = {one.untyped_storage()._cdata for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
        for one in tree_leaves(out):
            if isinstance(one, Tensor) and one.untyped_storage()._cdata not in given | self._seen:
                self._see(one.untyped_storage())
        return out

    def _see(self, storage: torch.UntypedStorage) -> None:
        size, name = storage.nbytes(), storage._cdata
        self._seen.add(name)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, name, size)

    def _gone(self, name: int, size: int) -> None:
        self._seen.discard(name)
        self.now -= size


def memory(model: Model, windows: EncodingBatch) -> tuple[int, int]:
    """Bytes kept for the backward pass, and at most alive during a step."""
    with Alive() as alive:
        loss = torch.stack([rates.sum() for rates in model(windows)]).sum()
        kept = alive.now
        loss.backward()
    model.zero_grad(set_to_none=True)
    return kept, alive.peak


def full_size(names: list[str]) -> dict[str, EncoderConfig]:
    """Models of `vivit_fixes`."""
    variants = lay_out(load_recipe(ROOT / "recipes/vivit_fixes.yaml")).variants
    return {one.name: one.configuration.model for one in variants if one.name in names}  # type: ignore[misc]


def full_spec() -> EncodingSpec:
    session = SessionSpec("one", SIDE, SIDE, UNITS, BEHAVIORS, 120.0, (0.1,) * UNITS)
    return EncodingSpec((session,), WINDOW, score_every=8, warmup=60)


def full_batch(lags: tuple[int, ...]) -> EncodingBatch:
    """On the meta device."""
    with torch.device("meta"):
        target = Target(0, torch.zeros(BATCH, len(lags), UNITS), torch.ones(BATCH, len(lags), UNITS) > 0)
        video, behavior = torch.zeros(BATCH, 1, WINDOW, SIDE, SIDE), torch.zeros(BATCH, WINDOW, BEHAVIORS)
    return EncodingBatch((SessionWindows(0, video, behavior, target),), lags)


def full_row(config: EncoderConfig) -> dict[str, Any]:
    """Bytes without and with."""
    row, data = {}, full_spec()
    for name in ("plain", "checkpointed"):
        model = outline(config, data).train()
        if name == "checkpointed":
            model.recompute()
        row[name] = dict(zip(("kept", "peak"), memory(model, full_batch(data.lags)), strict=True))
    return row


def time_ratio(name: str, turns: int) -> float:
    """Median over turns of a checkpointed step's processor time over that of the step before it."""
    data = spec("causal")
    config = EncoderConfig.model_validate(MODELS[name][0])
    models = [config.build(data).train() for _ in range(2)]
    models[1].recompute()
    windows = batch(data.lags).cut(4)[0]
    steps = [step_of(model, windows) for model in models]
    ratios = []
    for turn in range(-1, turns):
        spent = []
        for step in steps:
            start = time.process_time()
            step()
            spent.append(time.process_time() - start)
        if turn >= 0:
            ratios.append(spent[1] / spent[0])
    return statistics.median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=tuple(MODELS), default=list(MODELS))
    parser.add_argument("--turns", type=int, default=5)
    ask_to_keep(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory(torch.device("cpu"))  # as `fit` does
    with measuring("activations", keep=options.keep) as sheet:
        sheet.say(f"{'':10} {'plain, GB':^15} {'checkpointed, GB':^16} {'time of':>8}")
        sheet.say(f"{'model':10} {'kept':>7} {'peak':>7} {'kept':>8} {'peak':>7} {'a step':>8}")
        sheet.figures = {}
        for name, config in full_size(options.models).items():
            row = sheet.figures[name] = full_row(config)
            plain, less = ([row[way][what] / 1e9 for what in ("kept", "peak")] for way in ("plain", "checkpointed"))
            row["time"] = round(time_ratio(name, options.turns), 3) if options.turns else None
            took = f"{row['time']:7.2f}x" if options.turns else ""
            sheet.say(f"{name:10} {plain[0]:7.1f} {plain[1]:7.1f} {less[0]:8.1f} {less[1]:7.1f} {took}")


if __name__ == "__main__":
    main()
