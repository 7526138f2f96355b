"""A study's folder in, where each of its runs stands out: by its record, its lock, its cluster's queue, its progress.

Trains nothing, writes nothing, loads no torch: it is asked from any machine that sees the folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ablate.analysis.cells import gather
from ablate.analysis.stopping.settle import settle
from ablate.execution.elsewhere import under_way
from ablate.execution.engine import Place
from ablate.result import RunRecord, Store, StudyManifest
from ablate.result.planned import PlannedRun, planned_runs
from ablate.result.progress import RunProgress, read_progress
from ablate.result.record import ReportedRun

State = Literal["to do", "waiting", "running", "done", "failed", "diverged", "interrupted"]
ENDED = ("done", "failed", "diverged")


@dataclass(frozen=True)
class RunStatus:
    """One run. where: machine, and the name of its job. since: ISO 8601. why: it failed, or waits. gpus: that it holds,
    or held, below 1 where it shares one. cpu_hours, gpu_hours: what it has cost so far, as far as is known,
    of a shared GPU by its share."""

    key: str
    variant: str
    stage: str
    seed: int
    state: State
    where: str = ""
    since: str = ""
    step: int | None = None
    steps: int | None = None
    score: float | None = None
    why: str = ""
    gpus: float = 0.0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0


@dataclass(frozen=True)
class StudyStatus:
    """All runs. settled: nothing is left to be trained, by the manifest and the records alone. silent: engines that
    could not be asked, and why."""

    name: str
    runs: tuple[RunStatus, ...]
    settled: bool
    silent: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Runs by state, the states in the order of a run's life; those that no run is in left out."""
        order = ("to do", "waiting", "running", "done", "failed", "diverged", "interrupted")
        found = {state: sum(run.state == state for run in self.runs) for state in order}
        return {state: number for state, number in found.items() if number}

    @property
    def cpu_hours(self) -> float:
        return sum(run.cpu_hours for run in self.runs)

    @property
    def gpu_hours(self) -> float:
        return sum(run.gpu_hours for run in self.runs)


def status_of(store: Store) -> StudyStatus:
    """Where a study stands now. Raises AblateError where there is none."""
    manifest = store.manifest()
    scan = store.scan(ReportedRun)
    places, silent = under_way(store.tickets)
    settled = is_over(manifest, tuple(scan.records.values()))
    damaged = {one.key: one.reason for one in scan.damaged}
    runs = [
        _status(run, store, scan.records.get(run.key), places.get(run.key), damaged.get(run.key, ""))
        for run in planned_runs(manifest)
    ]
    if manifest.schedule is not None:  # seeds of looks that nobody has paid for
        wanted = settle(gather(manifest, tuple(scan.records.values())), manifest.schedule, manifest.analysis).buy
        runs = [run for run in runs if run.state != "to do" or run.seed in wanted.get(run.variant, ())]
    return StudyStatus(manifest.name, tuple(runs), settled, silent)


def is_over(manifest: StudyManifest, records: Sequence[RunRecord]) -> bool:
    """Whether every run of the manifest has come to an end."""
    if manifest.schedule is not None:
        return not settle(gather(manifest, records), manifest.schedule, manifest.analysis).buy
    ended = {record.key for record in records if record.state != "interrupted"}
    return all(key in ended for entry in manifest.variants for key in entry.run_keys)


def _status(run: PlannedRun, store: Store, record: RunRecord | None, place: Place | None, damage: str) -> RunStatus:
    state, where, since, why = _state(run, store, record, place, damage)
    progress = read_progress(store, run.key) if state not in ENDED else None
    gpus, cpu, gpu = _used(record, progress if state == "running" else None)
    return RunStatus(
        key=run.key,
        variant=run.variant,
        stage=run.stage,
        seed=run.seed,
        state=state,
        where=where or (progress.host if progress and state == "running" else ""),
        since=since or (progress.started if progress and state == "running" else ""),
        step=progress.step if progress else None,
        steps=progress.steps if progress else None,
        score=record.test.headline if record and record.test else progress.score if progress else None,
        why=why,
        gpus=gpus,
        cpu_hours=cpu,
        gpu_hours=gpu,
    )


def _state(
    run: PlannedRun, store: Store, record: RunRecord | None, place: Place | None, damage: str
) -> tuple[State, str, str, str]:
    """State, where, since when and why. Who trains a run again counts more than the record of the time before; a job
    that the queue still has while its run is done is about to end."""
    holder = store.holder(run.key)
    done = record is not None and record.state == "done"
    if holder is not None or (place is not None and place.state == "running" and not done):
        names = (place.where if place else holder.host if holder else "", place.name if place else "")
        return "running", ", ".join(filter(None, names)), place.since if place else "", ""
    if place is not None and place.state == "waiting":
        return "waiting", place.name, place.since, place.why
    if record is not None:
        return record.state, "", record.finished, record.reason
    if place is not None:  # it failed, and no command has recorded it yet
        return "failed", place.name, "", place.why
    return "to do", "", "", damage


def _used(record: RunRecord | None, progress: RunProgress | None) -> tuple[float, float, float]:
    """GPUs, processor and GPU hours: as measured by a run that ended, and what one under way has been given so far."""
    if progress is not None:
        hours = max(progress.seconds, _age(progress.started)) / 3600
        return progress.gpus, hours * progress.threads, hours * progress.gpus
    if record is None or record.usage is None:
        return 0.0, 0.0, 0.0
    device = record.environment.get("device") or {}
    on_gpu = isinstance(device, dict) and device.get("type") == "cuda"
    cpu = record.usage.seconds if record.usage.cpu_seconds is None else record.usage.cpu_seconds
    gpus = float(device.get("share") or device.get("devices") or 1) if on_gpu else 0.0
    return gpus, cpu / 3600, record.usage.seconds / 3600 * gpus


def _age(started: str) -> float:
    try:
        return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
