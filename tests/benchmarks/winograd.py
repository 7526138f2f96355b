"""What Winograd's convolution is worth: steps of the ResNet with and without it, turn by turn in one process, on a CPU.

    python tests/benchmarks/winograd.py [--steps 5] [--threads 1]

The work is that of `training_step.py` (causal, batch 8). Processor time, so that other processes do not count. Prints
the lines that stand in docs/performance.md.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from training_step import MODELS, batch, spec, step_of

from ablate.model.encoder import EncoderConfig
from ablate.model.layer.convolution import causal_conv
from ablate.model.layer.winograd import convolve


@contextmanager
def direct() -> Iterator[None]:
    """No convolution takes Winograd's way."""
    with (
        patch.object(causal_conv, "winograd_pays", lambda *_: False),
        patch.object(convolve, "winograd_pays", lambda *_: False),
    ):
        yield


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=5)
    options.add_argument("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    data = spec("causal")
    step = step_of(EncoderConfig.model_validate(MODELS["resnet"][0]).build(data), batch(data.lags))
    step()
    spent: dict[str, list[float]] = {"winograd": [], "direct": []}
    for _ in range(chosen.steps):
        spent["winograd"].append(timed(step))
        with direct():
            spent["direct"].append(timed(step))
    winograd, plain = (statistics.median(spent[name]) for name in ("winograd", "direct"))
    ratios = [slow / fast for slow, fast in zip(spent["direct"], spent["winograd"], strict=True)]
    spread = f"{min(ratios):.2f} .. {max(ratios):.2f}"
    print(f"| {winograd:.2f} s | {plain:.2f} s | x{statistics.median(ratios):.2f} | {spread} |")


def timed(step: Callable[[], None]) -> float:
    """Processor seconds of one step."""
    begun = time.process_time()
    step()
    return time.process_time() - begun


if __name__ == "__main__":
    main()
