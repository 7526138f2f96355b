"""The whole flow on one page: a request is planned, every run that is not there yet is trained, failures are recorded.

    recipe.yaml -> Recipe -> variants -> (build model, open data) -> fit -> scores -> run record -> analysis -> report

The last two steps need nothing but the results folder, and happen elsewhere (`ablate.analysis`, `ablate.report`).
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import torch

from ablate.execution import Event, Job, Outcome, Settings, Stop, execute
from ablate.request import Request
from ablate.result import Store
from ablate.study.merge import merge_manifests
from ablate.study.plan import StudyPlan, plan_study
from ablate.study.train import RunJob, run_record, train_run
from ablate.training import pick_device

WORK = f"{train_run.__module__}:{train_run.__name__}"


class Watcher:
    """Told how a study goes; this one watches nothing."""

    def planned(self, plan: StudyPlan, todo: Sequence[RunJob]) -> None: ...

    def event(self, event: Event) -> None: ...

    def finished(self) -> None: ...


@dataclass(frozen=True)
class StudyOutcome:
    """How a study ended. failures: the runs that gave no score, with why. interrupted: stopped by a signal; go on by the same command."""

    plan: StudyPlan
    trained: int = 0
    kept: int = 0
    failures: tuple[tuple[RunJob, Outcome], ...] = ()
    elsewhere: tuple[RunJob, ...] = ()
    interrupted: bool = False
    states: dict[str, str] = field(default_factory=dict)


def run_study(request: Request, watcher: Watcher | None = None) -> StudyOutcome:
    """Trains what is missing. Raises AblateError for what a person can mend; a run that fails is in the outcome."""
    watcher = watcher or Watcher()
    plan = keep_plan(plan_study(request), request)
    todo = missing(plan, request)
    watcher.planned(plan, todo)
    stop = Stop()
    outcomes: list[Outcome] = []
    jobs = {job.key: job for job in todo}
    with closing(train_all(todo, plan.store, request, watcher.event, stop)) as ended:
        for outcome in ended:
            outcomes.append(outcome)
            record_failure(plan.store, jobs[outcome.key], outcome)
    watcher.finished()
    return outcome_of(plan, todo, outcomes, interrupted=stop.requested)


def keep_plan(plan: StudyPlan, request: Request) -> StudyPlan:
    """Writes `study.json`, extending the one that is there; refuses a recipe whose variants changed their meaning."""
    with plan.store.lock_study():
        if plan.store.exists():
            manifest = merge_manifests(plan.store.manifest(), plan.manifest, accept=request.changed or request.fresh)
            plan = StudyPlan(plan.recipe, plan.store, manifest, plan.jobs, plan.notices)
        plan.store.write_manifest(plan.manifest)
    return plan


def missing(plan: StudyPlan, request: Request) -> tuple[RunJob, ...]:
    """The runs to train: those without a record, and those whose state is to be tried again."""
    states = {key: record.state for key, record in plan.store.scan().records.items()}
    again = request.retried_states()
    todo = []
    for job in plan.jobs:
        state = states.get(job.key)
        if state is None:
            todo.append(job)
        elif request.fresh or state in again:
            if request.fresh:
                plan.store.drop_checkpoints(job.key)
            todo.append(job.model_copy(update={"replace": True}))
    return tuple(todo)


def train_all(
    todo: Sequence[RunJob], store: Store, request: Request, tell: Callable[[Event], None], stop: Stop
) -> Iterable[Outcome]:
    """Each run in a process of its own, or all in this one with `--inline`."""
    settings = settings_of(request, len(todo))
    # A run's bits depend on the number of its threads: fixed here, so that they never depend on the number of workers.
    jobs = [Job(job.key, job.model_copy(update={"threads": settings.threads}).model_dump(mode="json"), job.label) for job in todo]
    return execute(jobs, WORK, settings, logs=store.logs, on_event=tell, stop=stop)  # type: ignore[return-value]


def settings_of(request: Request, runs: int) -> Settings:
    """One run a core on a CPU, each with one thread; one run at a time on a GPU, unless told otherwise."""
    device = pick_device(request.device)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    on_cpu = device.type == "cpu"
    gpus = torch.cuda.device_count() if device.type == "cuda" and device.index is None else 1
    workers = request.workers or (cores if on_cpu else gpus)
    return Settings(
        workers=max(1, min(workers, runs)),
        isolate=not request.inline,
        timeout=request.run_timeout,
        threads=request.threads or (1 if on_cpu else max(1, cores // workers)),
        devices=tuple(str(index) for index in range(gpus)) if gpus > 1 else (),
        preload=("torch", "ablate.study.train"),
    )


def record_failure(store: Store, job: RunJob, outcome: Outcome) -> None:
    """A run that failed or was interrupted leaves a record with its reason and last log lines, as long as it left none itself."""
    if outcome.state not in ("failed", "interrupted"):
        return
    lock = store.lock_run(job.key)
    if lock is None:
        return  # somebody else has taken it up meanwhile
    with lock:
        if store.has(job.key) and store.record(job.key).state in ("done", "diverged"):
            return
        record = run_record(job, state="failed" if outcome.state == "failed" else "interrupted", reason=outcome.reason)
        store.put(record, log=outcome.log_tail, replace=True)


def outcome_of(
    plan: StudyPlan, todo: Sequence[RunJob], outcomes: Sequence[Outcome], *, interrupted: bool
) -> StudyOutcome:
    """What became of every run."""
    jobs = {job.key: job for job in todo}
    states = {key: record.state for key, record in plan.store.scan().records.items()}
    failures = [(jobs[o.key], o) for o in outcomes if o.state == "failed"]
    diverged = [
        (jobs[o.key], Outcome(o.key, "failed", plan.store.record(o.key).reason))
        for o in outcomes
        if o.state == "done" and states.get(o.key) == "diverged"
    ]
    return StudyOutcome(
        plan=plan,
        trained=sum(states.get(o.key) == "done" for o in outcomes if o.state == "done"),
        kept=len(plan.jobs) - len(todo),
        failures=tuple(failures + diverged),
        elsewhere=tuple(jobs[o.key] for o in outcomes if o.state == "busy"),
        interrupted=interrupted,
        states=dict(states),
    )
