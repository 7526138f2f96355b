"""The one loop that trains every variant; it knows no model and no data. Compile, evaluate, keep best, stop, step, log.

A run that is killed anywhere and started again with the same checkpoints ends, on a CPU, with the same bits as an
undisturbed one. All random draws come from the seed's own streams; the process's generators are left as they were.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from ablate.contract import Dataset, Model
from ablate.disk.read import Json
from ablate.result.record import Compilation, Usage
from ablate.training.checkpoint import Checkpoints
from ablate.training.config import TrainingConfig
from ablate.training.device import float32_math, keep_freed_memory, peak_memory, reserved_memory, reset_peak_memory
from ablate.training.ranks import ALONE, Ranks
from ablate.training.run import Listener, Outcome, Run
from ablate.training.seed import seeded, stream_seed


@dataclass(frozen=True)
class FitResult:
    """How a run ended.

    model: with the kept weights unless interrupted. history: rows as in `Progress.history`, without timings.
    best_step: the step whose weights were kept, 0 if none were. step_milliseconds: mean of an optimizer step.
    peak_memory: bytes. device_memory: bytes of the GPU that were held at most; None on a CPU.
    """

    model: Model
    state: Outcome
    reason: str
    history: list[Json]
    best_step: int
    steps: int
    seconds: float
    cpu_seconds: float
    step_milliseconds: float
    peak_memory: int
    device_memory: int | None = None
    compilation: Compilation | None = None

    def usage(self) -> Usage:
        return Usage(
            seconds=self.seconds,
            cpu_seconds=self.cpu_seconds,
            steps=self.steps,
            best_step=self.best_step,
            step_milliseconds=self.step_milliseconds,
            peak_memory_bytes=self.peak_memory,
            device_memory_bytes=self.device_memory,
            compilation=self.compilation,
        )


def fit(
    model: Model,
    dataset: Dataset,
    config: TrainingConfig,
    *,
    seed: int,
    device: torch.device,
    listener: Listener | None = None,
    checkpoints: Checkpoints | None = None,
    stop: Callable[[], bool] | None = None,
    ranks: Ranks = ALONE,
) -> FitResult:
    """Trains a model in place. Model and data lie on `device` already.

    checkpoints: where to save, and to go on from if any are there; the caller clears them once the run's record is in
    place. stop: polled before each step; when true, the run is saved and left as interrupted. A loss, gradient, or
    score that is not finite ends the run as diverged, with the step. ranks: the processes that train it together, this
    one among them; only the first one's listener and checkpoints hear of it. Raises AblateError for what the user can
    fix.
    """
    listener = listener if listener is not None and ranks.first else Listener()
    keep_freed_memory(device)
    reset_peak_memory(device)
    with seeded(stream_seed(seed, "dropout", config.reseed)), float32_math(device, config.precision):
        run = Run(model, dataset, config, seed=seed, device=device, ranks=ranks)
        if checkpoints is not None:
            run.resume(checkpoints)
        run.compare()
        run.recompute(listener)
        kept = checkpoints if ranks.first else None
        while True:
            run.compile(listener)  # compile
            if run.evaluation_due() and not run.evaluate(listener):  # evaluate, keep best
                break
            if run.finished():  # stop
                break
            if ranks.agreed(stop is not None and stop()):
                run.interrupt(kept, listener)
                break
            run.step()  # step
            saving = kept is not None and run.save_due()
            if (saving or run.read_due()) and not run.read_losses(listener):  # log
                break
            if kept is not None and saving:
                run.save(kept)
        run.settle(listener)
    return _result(run)


def _result(run: Run) -> FitResult:
    state, reason = run.outcome
    run.clock()
    return FitResult(
        model=run.model,
        state=state,
        reason=reason,
        history=run.progress.history,
        best_step=run.progress.best_step,
        steps=run.progress.taken,
        seconds=run.progress.seconds,
        cpu_seconds=run.progress.cpu_seconds,
        step_milliseconds=run.step_milliseconds(),
        peak_memory=peak_memory(run.device),
        device_memory=reserved_memory(run.device),
        compilation=run.compiler.told(),
    )
