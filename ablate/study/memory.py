"""A study in, the memory that a training step of each variant takes on a card out, predicted before anything is run."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from ablate.analysis.words import memory
from ablate.data.encoding.config import EncodingDataConfig
from ablate.errors import Problem
from ablate.execution.engine import entry_of
from ablate.execution.memory import free_device_bytes, free_host_bytes
from ablate.model.footprint import Footprint, footprint
from ablate.recipe import Configuration
from ablate.request import Request
from ablate.study.running.job import RunJob
from ablate.study.running.workers import device_of
from ablate.study.study import Study
from ablate.training import TrainingConfig, pick_device
from ablate.training.device import resolve_precision

WHERE = "training.batch_size"
FIRST = 3
"""Variants that are asked, where not all are."""


@dataclass(frozen=True)
class Step:
    """A training step of one variant, in the precision that it would be trained in."""

    footprint: Footprint
    precision: str

    @property
    def peak(self) -> int:
        """Bytes."""
        return self.footprint.peak


@dataclass(frozen=True)
class Predicted:
    """Of a study on a device. steps: by the variant's name; those that cannot be worked out by shapes alone are left
    out. too_large: what does not fit `free`, bytes, None where that is not known."""

    device: str
    steps: dict[str, Step]
    free: int | None
    too_large: tuple[Problem, ...]


def predicted(
    study: Study,
    request: Request,
    tell: Callable[[str], None] = lambda doing: None,
    *,
    every: bool = True,
    free: int | None = None,
) -> Predicted:
    """Variants with the same model and batches are worked out once.

    every: all variants; else the baseline and the two with the largest maps, and the others only where those take more
    than half of what is free. free: of the device, asked for where None; nothing is known of a device elsewhere.
    """
    elsewhere = entry_of(study.execution.engine).remote
    place = torch.device(_named(request, study)) if elsewhere else pick_device(request.device)
    free = _free(place) if free is None and not elsewhere else free
    jobs = {job.variant: job for job in study.jobs}
    known: dict[str, Footprint | None] = {}
    steps: dict[str, Step] = {}
    for number, name in enumerate(sorted(jobs, key=lambda name: (name != "baseline", -_map_size(jobs[name])))):
        if not every and number >= FIRST and free is not None and all(2 * one.peak < free for one in steps.values()):
            break
        configuration = jobs[name].configuration
        training = configuration.training
        precision = resolve_precision(place, training.precision)
        pass_ = (precision, training.micro_batch_size, training.activation_checkpointing)
        key = f"{configuration.model.model_dump_json()} {configuration.data.model_dump_json()} {pass_}"
        if key not in known:
            tell(f"predicting the memory of {name}")
            known[key] = step_footprint(configuration, study.execution.processes, bf16=precision == "bf16")
        if (found := known[key]) is not None:
            steps[name] = Step(_of(found, training), precision)
    steps = {name: steps[name] for name in jobs if name in steps}
    large = [name for name, step in steps.items() if free is not None and step.peak > free]
    problems = (_too_large(name, steps[name], jobs[name].configuration.training, place, free or 0) for name in large)
    return Predicted(str(place), steps, free, tuple(problems))


def _map_size(job: RunJob) -> int:
    """Numbers in the outputs of all parts, in a pass: what tells large models from small ones without asking them."""
    shapes = job.cost.shapes.values() if job.cost else ()
    return job.configuration.training.micro_batch_size * sum(map(math.prod, shapes))


def _of(found: Footprint, training: TrainingConfig) -> Footprint:
    """The same passes, in another variant's training."""
    return replace(found, averaged=training.ema > 0, accumulated=training.accumulate > 1)


def step_footprint(configuration: Configuration, devices: int = 1, *, bf16: bool) -> Footprint | None:
    """Of a training step, on one of the devices that share it. By what the data say of themselves, unopened."""
    data, training = configuration.data, configuration.training
    return footprint(
        configuration.model,
        data.describe(),
        rows=-(-training.micro_batch_size // devices),
        sessions=data.sessions_per_batch if isinstance(data, EncodingDataConfig) else 1,
        averaged=training.ema > 0,
        accumulated=training.accumulate > 1,
        bf16=bf16,
        recomputed=training.activation_checkpointing,
    )


def _too_large(name: str, step: Step, training: TrainingConfig, device: torch.device, free: int) -> Problem:
    """With the fewest pieces that fit, where any do."""
    what = f"{name}: a training step takes about {memory(step.peak)}, and {memory(free)} of {device} are free"
    less = "" if training.activation_checkpointing else "; `training.activation_checkpointing: true` keeps less, too"
    pieces = (n for n in range(training.accumulate + 1, training.batch_size + 1) if training.batch_size % n == 0)
    for number in pieces:
        if (cut := step.footprint.cut(number / training.accumulate)) <= free:
            hint = f"the same step in pieces takes about {memory(cut)}: set `training.accumulate: {number}`"
            return Problem(what, WHERE, hint + less)
    return Problem(what, WHERE, "one window alone does not fit: take a shorter one, or a smaller model" + less)


def _named(request: Request, study: Study) -> str:
    named = device_of(request, study.execution)
    return "cpu" if named == "auto" else named


def _free(device: torch.device) -> int | None:
    return (
        free_device_bytes("" if device.index is None else str(device.index))
        if device.type == "cuda"
        else free_host_bytes()
    )
