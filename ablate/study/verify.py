"""A study's folder in, what is wrong with it out: every stored hash, and one finished run trained again and compared.

The run is the shortest one that is done. On a CPU the same threads, devices and packages give the same bits, so every
loss and every score must agree to the last digit; on an accelerator they agree closely, and the largest difference is
given.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.result import RunRecord, Store
from ablate.result.record import SPLITS
from ablate.result.store.pack import scored_rows
from ablate.study.fitted.opened import opened_data
from ablate.study.running.job import RunJob
from ablate.study.running.train import train_run
from ablate.training import pick_device

FIGURES = (
    *("headline", "weighted", "pooled", "attainable"),
    *("accuracy", "balanced_accuracy", "macro_f1", "correlation", "concordance"),
)
CLOSE = 0.01
"""Largest relative difference on an accelerator, whose sums run in no fixed order, and between different devices."""


@dataclass(frozen=True)
class Agreement:
    """A run and the same run trained again. values: numbers compared. faults: the first differences, for people."""

    record: RunRecord
    device: str
    values: int
    largest: float
    """Largest relative difference of two numbers."""
    faults: tuple[str, ...]
    seconds: float

    @property
    def agrees(self) -> bool:
        return not self.faults


def shortest_done(store: Store) -> RunRecord | None:
    """The run that is cheapest to train again; None where nothing is done."""
    done = [record for record in store.records() if record.state == "done"]
    return min(done, key=lambda r: (r.usage.seconds if r.usage else math.inf, r.key), default=None)


def train_again(store: Store, record: RunRecord, *, device: str, data: Sequence[Path] = ()) -> Agreement:
    """Trains a run once more in a temporary folder. data: where its data lie now, if not where they lay. Raises
    AblateError where they are no longer what they were."""
    configuration, _ = opened_data(store, record, torch.device("cpu"), data)
    chosen = device_for(record, device)
    with tempfile.TemporaryDirectory() as folder:
        copy = Store(Path(folder) / "again")
        job = RunJob(
            store=str(copy.root),
            study=record.study,
            variant=record.variant,
            key=record.key,
            seed=record.seed,
            configuration=configuration,
            fold=record.fold,
            data_fingerprint=record.data_fingerprint,
            device=chosen,
            threads=threads_of(record),
            devices=devices_of(record, chosen),
            rehearsal=record.rehearsal,
        )
        before = torch.get_num_threads()
        try:
            train_run(job.model_dump(mode="json"))
        finally:
            torch.set_num_threads(before)
        again = copy.record(record.key)
        curve = copy.history(record.key)
        if store.packed_run(record.key):  # a committed run keeps the rows with a score alone
            curve = [dict(row) for row in scored_rows(curve)]
        return compare(record, again, store.history(record.key), curve, device=chosen)


def device_for(record: RunRecord, device: str) -> str:
    """The asked device; by default the kind of device that the run was trained on, where there is one."""
    if device != "auto":
        return device
    kind = str(_device(record).get("type") or "cpu")
    try:
        return pick_device(kind).type
    except AblateError:
        return "cpu"


def threads_of(record: RunRecord) -> int | None:
    threads = _device(record).get("threads")
    return threads if isinstance(threads, int) and threads > 0 else None


def devices_of(record: RunRecord, device: str) -> int:
    """As many as trained it, or one where so many are not here."""
    devices = _device(record).get("devices")
    enough = pick_device(device).type == "cpu" or torch.cuda.device_count() >= (devices or 1)
    return devices if isinstance(devices, int) and enough else 1


def _device(record: RunRecord) -> Json:
    device = record.environment.get("device")
    return device if isinstance(device, dict) else {}


# ------------------------------------------------------------------ comparing


def compare(
    first: RunRecord,
    again: RunRecord,
    first_history: Sequence[Json],
    again_history: Sequence[Json],
    *,
    device: str,
) -> Agreement:
    """All losses, learning rates, gradient norms and scores of two runs of the same configuration and seed."""
    exact = device == "cpu" and _device(first).get("type", "cpu") == "cpu"
    values, largest, faults = 0, 0.0, []
    if again.state != first.state:
        faults.append(f"it was {first.state} and is now {again.state} ({again.reason})")
    if len(first_history) != len(again_history):
        faults.append(f"the learning curve had {len(first_history)} rows and has {len(again_history)}")
    pairs = [*_curve_pairs(first_history, again_history), *_score_pairs(first, again)]
    for place, old, new in pairs:
        values += 1
        difference = _relative(old, new)
        largest = max(largest, difference)
        if difference > (0.0 if exact else CLOSE):
            faults.append(f"{place}: {old!r} became {new!r}")
    seconds = again.usage.seconds if again.usage else 0.0
    return Agreement(first, device, values, largest, tuple(faults), seconds)


def _curve_pairs(first: Sequence[Json], again: Sequence[Json]) -> Iterator[tuple[str, object, object]]:
    for old, new in zip(first, again, strict=False):
        for name in {**old, **new}:
            yield f"step {old.get('step')}, {name}", old.get(name), new.get(name)


def _score_pairs(first: RunRecord, again: RunRecord) -> Iterator[tuple[str, object, object]]:
    for split in SPLITS:
        old, new = first.score(split), again.score(split)
        if old is not None and new is not None:
            yield f"{split}, scored bins", old.scored_hash, new.scored_hash
            before, after = dict(old), dict(new)
            for name in FIGURES:
                if before[name] is not None:  # an older version did not keep all of them
                    yield f"{split}, {name}", before[name], after[name]
            for one, other in zip(old.sessions, new.sessions, strict=False):
                yield f"{split}, session {one.name}", one.mean, other.mean
        else:
            yield f"{split} score", old is None, new is None


def _relative(old: object, new: object) -> float:
    """0 for equal values, the relative difference of two numbers, infinity for anything else."""
    if old == new:
        return 0.0
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(old - new) / max(abs(old), abs(new))
    return math.inf
