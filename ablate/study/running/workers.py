"""A request and `execution:` in, how runs are trained out: engine, processes, threads, GPUs, shared data."""

import os
from collections.abc import Sequence

import torch

from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.execution import Settings
from ablate.execution.engine import entry_of
from ablate.execution.options import Common
from ablate.recipe import Configuration
from ablate.request import Request
from ablate.result.environment import usable_cores
from ablate.study.running.job import RunJob
from ablate.training import pick_device

MOST_A_GPU = 8
"""Runs that share a GPU: beyond that each waits for the others' kernels most of the time."""


def shared_data(todo: Sequence[RunJob]) -> Json:
    """One configuration for each data set of these runs, in their order: what `share_data` opens."""
    first: dict[str, Configuration] = {}
    for job in todo:
        first.setdefault(job.configuration.data.model_dump_json(), job.configuration)
    return {"configurations": [configuration.model_dump(mode="json") for configuration in first.values()]}


def settings_of(request: Request, execution: Common, runs: int) -> Settings:
    """How so many runs are executed, by the request and the words of the recipe and the site."""
    if entry_of(execution.engine).remote:
        return settings_elsewhere(request, execution, runs)
    return settings_here(request, execution, runs)


def device_of(request: Request, execution: Common) -> str:
    """The device that a run is given. Elsewhere it follows from what is asked for, since this machine may lack it."""
    if entry_of(execution.engine).remote and request.device == "auto":
        return "cuda" if execution.gpus else "cpu"
    return request.device


def settings_elsewhere(request: Request, execution: Common, runs: int) -> Settings:
    """What a cluster is asked for a run: one core where nothing is said, and all runs at once that it lets run."""
    return Settings(
        engine=execution.engine,
        workers=min(execution.most_workers or runs, runs) or 1,
        timeout=request.run_timeout,
        threads=execution.cpus or 1,
        processes=execution.processes,
        gpus=execution.whole_gpus,
        shares=execution.shares,
        memory_gb=execution.memory_gb,
        hours=execution.hours,
        options=execution.section(),
    )


def settings_here(request: Request, execution: Common, runs: int) -> Settings:
    """One run a core on a CPU, each with one thread; one run at a time on a GPU, unless something else is said: by
    `workers: auto` as many as it has room for.

    Raises AblateError where a run is to be given more devices than there are.
    """
    device = pick_device(request.device)
    cores, together = usable_cores(), execution.devices or 1
    on_cpu = device.type == "cpu"
    inline = execution.engine == "inline"
    gpus = visible_gpus(device) if device.type == "cuda" else ()
    refuse_more(together, device, cores if on_cpu else max(1, len(gpus)))
    groups = () if inline else in_groups(gpus, together)
    by_itself = cores // together if on_cpu else max(1, len(groups))
    workers = 1 if inline else execution.most_workers or by_itself
    packs = execution.workers == "auto" and not inline and bool(groups)
    if packs:  # a core launches the kernels of one run
        workers = max(workers, min(cores // together, MOST_A_GPU * len(groups)))
    return Settings(
        engine=execution.engine,
        workers=max(1, min(workers, runs)),
        packs=packs,
        timeout=request.run_timeout,
        threads=execution.cpus or (1 if on_cpu else max(1, cores // (workers * together))),
        processes=together,
        devices=groups,
        preload=("torch", "torch._dynamo", "ablate.study.running.train"),  # an optimizer loads the compiler
    )


def refuse_more(together: int, device: torch.device, there: int) -> None:
    """A run cannot have more devices than this machine, or than `--device cuda:1` names."""
    if together > there:
        kind = {"cpu": ("core", "cores"), "cuda": ("GPU", "GPUs")}.get(device.type, ("device", "devices"))
        what = f"{together} devices are to train a run together, and {there} {kind[there != 1]} can be used here"
        hint = f"write `devices: {there}`" if device.index is None else f"leave `--device {device}` out"
        raise AblateError(what, where="execution.devices", hint=hint)


def in_groups(gpus: Sequence[str], together: int) -> tuple[str, ...]:
    """So many GPUs for each run at a time, as values of CUDA_VISIBLE_DEVICES; what is over stays idle."""
    return tuple(",".join(gpus[at : at + together]) for at in range(0, len(gpus) - together + 1, together))


def visible_gpus(device: torch.device) -> tuple[str, ...]:
    """The GPUs to spread runs over, each as a value of CUDA_VISIBLE_DEVICES: all that this process sees, or the one."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    seen = (named or [str(index) for index in range(torch.cuda.device_count())])[: torch.cuda.device_count()]
    return tuple(seen) if device.index is None else (seen[device.index],)
