"""Times a training step (forward, backward, fused AdamW) of the baseline, P1 and the ResNet, fp32 on a CPU.

    python tests/benchmarks/training_step.py [--threads 1] [--turns 5] [--models baseline p1 resnet hybrid] [--keep]

Batch 8 of one session: stimulus (1, 25, 51, 51), 42 behaviour variables, 8 units. `valid` is the work that the lab's
code did, for comparison: a 16-tap frontend without padding leaves 10 frames, one temporal token (the ResNet: 5 steps),
one scored bin. `causal` keeps all 25 frames: 3 temporal tokens (13 steps) and 3 scored bins from one pass.

Everything is said in products of two 2048 x 2048 matrices, timed before and after each step: on a shared machine
seconds move by a factor of four, their ratio by a tenth. A turn is a product, a step, a product, the same step by
torch's own operations (`straightforward.py`), a product; columns are medians over turns.

    step      one step                          plain     the step by torch's own operations
    limit     the step's multiplications, as its formulas have them, at the speed of the product; Winograd's tiles
              multiply less often, so that a step can lie below it
    lab       VisionCore's own code, 2 threads, in products (LAB_GFLOPS)

The clock is processor time with one thread, and the one on the wall with several, whose threads wait for each other.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from kept import ask_to_keep, measuring
from straightforward import straightforward
from torch import nn

from ablate.contract import EncodingBatch, EncodingSpec, SessionSpec, SessionWindows, Target
from ablate.model.cost import describe
from ablate.model.encoder import EncoderConfig
from ablate.training.device import keep_freed_memory

BATCH, FRAMES, SIDE, BEHAVIORS, UNITS = 8, 25, 51, 42, 8
PRODUCT = 2 * 2048**3
LAB_GFLOPS = 300  # of the product with 2 threads on the quiet machine of the lab's seconds; up to 332 were seen there
P1 = {"kernel_size": (8, 4, 4), "stride": (8, 4, 4)}
WIDE_GRU = {"type": "convgru", "hidden_dim": 256, "beh_emb_dim": 32}
MODELS: dict[str, tuple[dict[str, Any], float | None]] = {
    "baseline": ({}, 0.33),
    "p1": ({"core": {"type": "vivit", "tokenizer": P1}}, 0.443),
    "resnet": ({"core": {"type": "resnet"}, "modulator": WIDE_GRU}, 1.704),
    "hybrid": ({"core": {"type": "hybrid_cnn_transformer"}}, None),
}
"""And the seconds of the lab's code."""


def spec(padding: str) -> EncodingSpec:
    """One session; a valid frontend leaves the newest bin, a causal one three."""
    session = SessionSpec("one", SIDE, SIDE, UNITS, BEHAVIORS, 120.0, (0.1,) * UNITS)
    return EncodingSpec((session,), FRAMES, score_every=8, warmup=FRAMES - 1 if padding == "valid" else 8)


def batch(lags: tuple[int, ...]) -> EncodingBatch:
    """Noise of the right shapes."""
    target = Target(0, torch.rand(BATCH, len(lags), UNITS), torch.ones(BATCH, len(lags), UNITS, dtype=torch.bool))
    stimulus = torch.randn(BATCH, 1, FRAMES, SIDE, SIDE)
    return EncodingBatch((SessionWindows(0, stimulus, torch.randn(BATCH, FRAMES, BEHAVIORS), target),), lags)


def step_of(model: nn.Module, windows: EncodingBatch) -> Callable[[], None]:
    """One step of training as a function."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        (log_rate,) = model(windows)
        loss = nn.functional.poisson_nll_loss(log_rate, windows.sessions[0].target.values)
        (loss + model.penalty()).backward()  # type: ignore[operator]
        optimizer.step()

    return step


def in_products(step: Callable[[], None], turns: int, clock: Callable[[], float]) -> dict[str, Any]:
    """Steps of both kinds in products, a list each, and the product's own seconds, after a turn that does not count."""
    square, spent = torch.randn(2048, 2048), {"step": [], "plain": [], "product_s": []}
    ways = {"step": nullcontext, "plain": straightforward}

    def timed(action: Callable[[], Any]) -> float:
        start = clock()
        action()
        return clock() - start

    for turn in range(-1, turns):
        before = timed(lambda: square @ square)
        for name, way in ways.items():
            with way():
                seconds = timed(step)
            after = timed(lambda: square @ square)
            if turn >= 0:
                spent[name].append(2 * seconds / (before + after))
                spent["product_s"].append(after)
            before = after
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=tuple(MODELS), default=list(MODELS))
    parser.add_argument("--paddings", nargs="+", choices=("valid", "causal"), default=["valid", "causal"])
    ask_to_keep(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory(torch.device("cpu"))  # as `fit` does
    clock = time.process_time if options.threads == 1 else time.perf_counter
    with measuring("training_step", keep=options.keep) as sheet:
        sheet.say(f"{'':19}{'in products of 2048 x 2048 matrices':^33} {'times ours':^15} GFLOP/s of")
        heads = f"{'step':>7} {'plain':>7} {'limit':>8} {'lab':>8} {'plain':>7} {'lab':>7}"
        sheet.say(f"{'model':10} {'padding':8} {heads} product")
        sheet.figures = []
        for name in options.models:
            for padding in options.paddings:
                row = measured(name, padding, options.turns, clock)
                sheet.figures.append(row)
                sheet.say(line(row))


def measured(name: str, padding: str, turns: int, clock: Callable[[], float]) -> dict[str, Any]:
    """One model's row."""
    parts, lab = MODELS[name]
    torch.manual_seed(0)
    config = EncoderConfig.model_validate({**parts, "frontend": {"type": "learnable_temporal", "padding": padding}})
    data = spec(padding)
    turns_of = in_products(step_of(config.build(data).train(), batch(data.lags)), turns, clock)
    work = 3 * BATCH * describe(config, data).total_flops  # backward costs about twice the forward
    return {
        "model": name,
        "padding": padding,
        "turns": {part: [round(one, 3) for one in values] for part, values in turns_of.items()},
        "limit": round(work / PRODUCT, 2),
        "lab": round(lab * LAB_GFLOPS * 1e9 / PRODUCT, 2) if lab and padding == "valid" else None,
    }


def line(row: dict[str, Any]) -> str:
    """A row as it is printed."""
    turns, lab = row["turns"], row["lab"]
    step, plain = (statistics.median(turns[part]) for part in ("step", "plain"))
    ratio = statistics.median(slow / fast for slow, fast in zip(turns["plain"], turns["step"], strict=True))
    speed = PRODUCT / statistics.median(turns["product_s"]) / 1e9
    beside = (f"{lab:8.1f}", f"{lab / step:6.2f}x") if lab else (" " * 8, " " * 7)
    figures = f"{step:7.2f} {plain:7.2f} {row['limit']:8.1f} {beside[0]} {ratio:6.2f}x {beside[1]}"
    return f"{row['model']:10} {row['padding']:8} {figures} {speed:7.0f}"


if __name__ == "__main__":
    main()
