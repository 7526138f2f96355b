"""A request in, how its runs are trained out: processes, threads, GPUs, and the data that they share."""

import os
from collections.abc import Sequence
from typing import Any

import torch

from ablate.execution import Settings
from ablate.recipe import Configuration
from ablate.request import Request
from ablate.study.running.train import RunJob
from ablate.training import pick_device


def shared_data(todo: Sequence[RunJob]) -> dict[str, Any]:
    """One configuration for each data set of these runs, in their order: what `share_data` opens."""
    first: dict[str, Configuration] = {}
    for job in todo:
        first.setdefault(job.configuration.data.model_dump_json(), job.configuration)
    return {"configurations": [configuration.model_dump(mode="json") for configuration in first.values()]}


def settings_of(request: Request, runs: int) -> Settings:
    """One run a core on a CPU, each with one thread; one run at a time on a GPU, unless the request says otherwise."""
    device = pick_device(request.device)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    on_cpu = device.type == "cpu"
    gpus = visible_gpus(device) if device.type == "cuda" and not request.inline else ()
    workers = 1 if request.inline else request.workers or (cores if on_cpu else max(1, len(gpus)))
    return Settings(
        workers=max(1, min(workers, runs)),
        isolate=not request.inline,
        timeout=request.run_timeout,
        threads=request.threads or (1 if on_cpu else max(1, cores // workers)),
        devices=gpus,
        preload=("torch", "ablate.study.running.train"),
    )


def visible_gpus(device: torch.device) -> tuple[str, ...]:
    """The GPUs to spread runs over, each as a value of CUDA_VISIBLE_DEVICES: all that this process sees, or the one."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    seen = (named or [str(index) for index in range(torch.cuda.device_count())])[: torch.cuda.device_count()]
    return tuple(seen) if device.index is None else (seen[device.index],)
