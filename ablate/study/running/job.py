"""A run as it is handed to a worker, and as its record tells of it."""

from datetime import UTC, datetime
from typing import Any

import torch

from ablate.config import Config
from ablate.disk.read import Json
from ablate.execution.job import DeviceUse, held_share
from ablate.recipe import Configuration
from ablate.result import ModelCost, RunRecord, Store, environment
from ablate.result.record import RunState
from ablate.training import FitResult
from ablate.training.device import device_driver, device_memory, device_name, resolve_precision


class RunJob(Config):
    """Everything that a worker must know of a run, as plain data."""

    store: str
    """The study's folder."""
    study: str
    variant: str
    key: str
    seed: int
    fold: str = ""
    """Of a cross-validation; `configuration` is in it."""
    configuration: Configuration
    cost: ModelCost | None = None
    data_fingerprint: str = ""
    device: str = "auto"
    threads: int | None = None
    devices: int = 1
    """Processes that train it together, each on a device of its own."""
    rehearsal: bool = False
    recipe_text: str = ""
    """The recipe as written, kept beside the record."""
    replaces: str = ""
    """Hash of the record in place that is to be trained again. Another record means that somebody else did so."""
    afresh: bool = False
    """Leave the checkpoints of an earlier try aside."""

    @property
    def label(self) -> str:
        return f"{self.variant} seed {self.seed}" + (f" fold {self.fold}" if self.fold else "")


def device_facts(job: RunJob, device: torch.device, *, threads: int | None) -> Json:
    """What a record tells of where its run was trained. Starts no GPU."""
    training = job.configuration.training
    return {
        "name": None if device.type == "cuda" else device_name(device),
        "type": device.type,
        "precision": resolve_precision(device, training.precision),
        "threads": threads,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "driver": device_driver(device),
        "compiled": training.compile in (True, "max"),
        **({"devices": job.devices} if job.devices > 1 else {}),
        **({"share": share} if device.type == "cuda" and (share := held_share()) is not None else {}),
    }


def fitted_record(job: RunJob, result: FitResult, *, started: str, device: torch.device) -> RunRecord:
    """The record of a run that came to its end, without its scores. started: as `now` gave it."""
    where = device_facts(job, device, threads=torch.get_num_threads()) | {"name": device_name(device)}
    if (memory := device_memory(device)) is not None:
        where["memory_bytes"] = memory
    if result.compilation is not None:
        where["compiled"] = result.compilation.compiled
    return run_record(
        job,
        state="done" if result.state == "done" else "diverged",
        reason=result.reason,
        usage=result.usage(),
        environment=environment(device=where, results=Store(job.store).root.parent),
        started=started,
    )


def device_use(record: RunRecord) -> DeviceUse | None:
    """What a run took of its GPU; None where it was trained on a CPU, by several, or by an older version."""
    device = record.environment.get("device") or {}
    total, several = device.get("memory_bytes"), device.get("devices", 1) > 1
    if record.usage is None or record.usage.device_memory_bytes is None or total is None or several:
        return None
    return DeviceUse(record.usage.device_memory_bytes, total)


def run_record(job: RunJob, *, state: RunState, reason: str = "", started: str = "", **fields: Any) -> RunRecord:
    """The record of a run without its scores, for example of one that failed. fields: others of the record's."""
    if "environment" not in fields:
        fields["environment"] = environment(results=Store(job.store).root.parent)
    return RunRecord(
        key=job.key,
        study=job.study,
        variant=job.variant,
        seed=job.seed,
        fold=job.fold,
        state=state,
        reason=reason,
        rehearsal=job.rehearsal,
        config=job.configuration.model_dump(mode="json"),
        data_fingerprint=job.data_fingerprint,
        cost=job.cost,
        started=started or now(),
        finished=now(),
        **fields,
    )


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
