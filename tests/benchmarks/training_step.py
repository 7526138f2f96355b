"""Times a training step (forward, backward, fused AdamW) of the baseline, P1 and the ResNet, fp32 on a CPU.

    python tests/benchmarks/training_step.py [--threads 2] [--steps 5] [--models baseline p1 resnet hybrid]

Batch 8 of one session: stimulus (1, 25, 51, 51), 42 behaviour variables, 8 units. `valid` is the work that the lab's
code did, for comparison: a 16-tap frontend without padding leaves 10 frames, one temporal token (the ResNet: 5 steps),
one scored bin. `causal` keeps all 25 frames: 3 temporal tokens (13 steps) and 3 scored bins from one pass.
`lab s` is the median that VisionCore's own code took at the valid work on a quiet machine of this kind, 2 threads.
`cpu s` is processor time: on a busy machine compare that one, with --threads 1, since threads that wait for each other
spin. `product` is the machine's own speed at the time: GFLOP/s of a 2048 x 2048 matrix product before each model.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ablate.contract import EncodingBatch, EncodingSpec, SessionSpec, SessionWindows, Target
from ablate.model.cost import describe
from ablate.model.encoder import EncoderConfig
from ablate.training.device import keep_freed_memory

BATCH, FRAMES, SIDE, BEHAVIORS, UNITS = 8, 25, 51, 42, 8
P1 = {"kernel_size": (8, 4, 4), "stride": (8, 4, 4)}
WIDE_GRU = {"type": "convgru", "hidden_dim": 256, "beh_emb_dim": 32}
MODELS: dict[str, tuple[dict[str, Any], float | None]] = {
    "baseline": ({}, 0.33),
    "p1": ({"core": {"type": "vivit", "tokenizer": P1}}, 0.44),
    "resnet": ({"core": {"type": "resnet"}, "modulator": WIDE_GRU}, 1.70),
    "hybrid": ({"core": {"type": "hybrid_cnn_transformer"}}, None),
}


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


def seconds(action: Callable[[], Any], repeats: int, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Seconds of each repeat by a clock, after two that are not counted."""
    action()
    action()
    taken = []
    for _ in range(repeats):
        start = clock()
        action()
        taken.append(clock() - start)
    return taken


def product_speed() -> float:
    """GFLOP/s of a large matrix product: how fast this machine is just now."""
    square = torch.randn(2048, 2048)
    return 2 * 2048**3 / min(seconds(lambda: square @ square, 5)) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=7)
    parser.add_argument("--models", nargs="+", choices=tuple(MODELS), default=list(MODELS))
    parser.add_argument("--paddings", nargs="+", choices=("valid", "causal"), default=["valid", "causal"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_freed_memory(torch.device("cpu"))  # as `fit` does
    print(f"{'model':10} {'padding':8} {'median s':>9} {'cpu s':>7} {'lab s':>6} {'lab/ours':>9} {'GFLOP':>6} product")
    for name in options.models:
        parts, lab = MODELS[name]
        for padding in options.paddings:
            torch.manual_seed(0)
            frontend = {"type": "learnable_temporal", "padding": padding}
            config = EncoderConfig.model_validate({**parts, "frontend": frontend})
            data = spec(padding)
            model = config.build(data).train()
            speed = product_speed()
            step = step_of(model, batch(data.lags))
            median = statistics.median(seconds(step, options.steps))
            processor = statistics.median(seconds(step, options.steps, time.process_time))
            beside = f"{lab:6.2f} {lab / median:8.2f}x" if lab and padding == "valid" else f"{'':6} {'':9}"
            work = 3 * BATCH * describe(config, data).total_flops / 1e9  # backward costs about twice the forward
            print(f"{name:10} {padding:8} {median:9.3f} {processor:7.3f} {beside} {work:6.0f} {speed:7.0f}", flush=True)


if __name__ == "__main__":
    main()
