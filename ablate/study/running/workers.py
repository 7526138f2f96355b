"""A request and `execution:` in, how runs are trained out: engine, processes, threads, GPUs, shared data."""

import os
from collections.abc import Sequence

import torch

from ablate.disk.read import Json
from ablate.execution import Settings
from ablate.execution.engine import entry_of
from ablate.execution.options import Common
from ablate.recipe import Configuration
from ablate.request import Request
from ablate.result.environment import usable_cores
from ablate.study.running.train import RunJob
from ablate.training import pick_device


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
        workers=min(execution.workers or runs, runs) or 1,
        timeout=request.run_timeout,
        threads=execution.cpus or 1,
        gpus=execution.gpus or 0.0,
        memory_gb=execution.memory_gb,
        hours=execution.hours,
        options=execution.section(),
    )


def settings_here(request: Request, execution: Common, runs: int) -> Settings:
    """One run a core on a CPU, each with one thread; one run at a time on a GPU, unless something else is said."""
    device = pick_device(request.device)
    cores = usable_cores()
    on_cpu = device.type == "cpu"
    inline = execution.engine == "inline"
    gpus = visible_gpus(device) if device.type == "cuda" and not inline else ()
    workers = 1 if inline else execution.workers or (cores if on_cpu else max(1, len(gpus)))
    return Settings(
        engine=execution.engine,
        workers=max(1, min(workers, runs)),
        timeout=request.run_timeout,
        threads=execution.cpus or (1 if on_cpu else max(1, cores // workers)),
        devices=gpus,
        preload=("torch", "torch._dynamo", "ablate.study.running.train"),  # an optimizer loads the compiler
    )


def visible_gpus(device: torch.device) -> tuple[str, ...]:
    """The GPUs to spread runs over, each as a value of CUDA_VISIBLE_DEVICES: all that this process sees, or the one."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    seen = (named or [str(index) for index in range(torch.cuda.device_count())])[: torch.cuda.device_count()]
    return tuple(seen) if device.index is None else (seen[device.index],)
