"""The whole flow on one page: a request is read, every run that is not there yet is trained, failures are recorded.

    recipe.yaml -> Recipe -> variants -> (build model, open data) -> fit -> scores -> run record -> analysis -> report

The last two steps need nothing but the results folder, and happen elsewhere (`ablate.analysis`, `ablate.report`).
"""

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import torch

from ablate.analysis import Settling, gather, settle
from ablate.errors import AblateError
from ablate.execution import Event, Job, Outcome, Settings, Stop, execute
from ablate.recipe import Configuration
from ablate.request import Allowance, Request
from ablate.result import Store, environment
from ablate.result.record import RunState
from ablate.study.merge import merge_manifests
from ablate.study.study import Study, study_of
from ablate.study.train import (
    RunJob,
    device_facts,
    is_there,
    readable_record,
    record_hash,
    run_record,
    share_data,
    train_run,
)
from ablate.training import pick_device

SECONDS_BETWEEN_LOOKS = 0.2
"""At runs that another process trains."""
WORK = f"{train_run.__module__}:{train_run.__name__}"
SHARE = f"{share_data.__module__}:{share_data.__name__}"


@runtime_checkable
class Watcher(Protocol):
    """Hears how a study goes."""

    def planned(self, study: Study, todo: Sequence[RunJob]) -> None: ...

    def look(self, state: Settling, todo: Sequence[RunJob]) -> None:
        """Before each look of a study that is run until settled: where it stands, and what the look trains."""

    def event(self, event: Event) -> None: ...

    def finished(self) -> None: ...


class Silent:
    """Watches nothing."""

    def planned(self, study: Study, todo: Sequence[RunJob]) -> None: ...

    def look(self, state: Settling, todo: Sequence[RunJob]) -> None: ...

    def event(self, event: Event) -> None: ...

    def finished(self) -> None: ...


@dataclass(frozen=True)
class StudyEnd:
    """How a study ended. failures: the runs that gave no score, with why. interrupted: stopped by a signal."""

    study: Study
    trained: int = 0
    kept: int = 0
    failures: tuple[tuple[RunJob, Outcome], ...] = ()
    elsewhere: tuple[RunJob, ...] = ()
    interrupted: bool = False
    beyond: Settling | None = None
    """The look that the budget does not cover."""
    states: dict[str, str] = field(default_factory=dict)


def run_study(request: Request, watcher: Watcher | None = None) -> StudyEnd:
    """Trains what is missing. Raises AblateError for what a person can fix; a run that fails is in the outcome."""
    watcher = watcher or Silent()
    study = keep_manifest(study_of(request), request)
    stop = Stop()
    outcomes: dict[str, Outcome] = {}
    if study.manifest.schedule is not None:
        return run_looks(study, request, watcher, outcomes, stop)
    todo = missing(study, request)
    watcher.planned(study, todo)
    train_missing(study, todo, request, watcher, outcomes, stop)
    watcher.finished()
    return end_of(study, todo, outcomes, interrupted=stop.requested)


def run_looks(study: Study, request: Request, watcher: Watcher, outcomes: dict[str, Outcome], stop: Stop) -> StudyEnd:
    """Trains one look's runs after the other until every row is settled, the looks or the budget are spent.

    What is bought follows from the records alone, so a study that was killed goes on as if it had not been.
    """
    trained: dict[str, RunJob] = {}
    beyond: Settling | None = None
    todo: tuple[RunJob, ...] = tuple(job for job in missing(study, request) if job.replaces)  # `--retry`
    watcher.planned(study, todo)
    while True:
        train_missing(study, todo, request, watcher, outcomes, stop)
        trained.update({job.key: job for job in todo})
        state = settled_so_far(study)
        todo = tuple(
            job
            for job in missing(study, request)
            if job.seed in state.buy.get(job.variant, ()) and job.key not in trained
        )
        if not todo or stop.requested:
            break
        if not covered(study, todo, request.allowance()):
            beyond = state
            break
        watcher.look(state, todo)
    watcher.finished()
    kept = replace(study, jobs=tuple(job for job in study.jobs if is_there(study.store, job) or job.key in trained))
    end = end_of(kept, tuple(trained.values()), outcomes, interrupted=stop.requested)
    return replace(end, study=study, beyond=beyond)


def settled_so_far(study: Study) -> Settling:
    """Where the rows stand by the records that are there."""
    manifest = study.manifest
    assert manifest.schedule is not None
    return settle(gather(manifest, study.store.records()), manifest.schedule, manifest.analysis)


def covered(study: Study, todo: Sequence[RunJob], allowance: Allowance) -> bool:
    """Whether a look is within the budget; its runs are taken to last as long as the mean of their variant's."""
    keys = {key for entry in study.manifest.variants for key in entry.keys.values()}
    done = [record for record in study.store.records() if record.key in keys and record.state != "interrupted"]
    spent = {record.key: record.usage.seconds for record in done if record.usage}
    usual = sum(spent.values()) / len(spent) if spent else 0.0
    seconds = sum(spent.values())
    for job in todo:
        own = [record.usage.seconds for record in done if record.variant == job.variant and record.usage]
        seconds += sum(own) / len(own) if own else usual
    return allowance.covers(len(done) + len(todo), seconds)


def train_missing(
    study: Study,
    todo: Sequence[RunJob],
    request: Request,
    watcher: Watcher,
    outcomes: dict[str, Outcome],
    stop: Stop,
) -> None:
    """Trains these runs, waits for those that another process trains, and records failures."""
    waiting: Sequence[RunJob] = todo
    while waiting and not stop.requested:
        jobs = {job.key: job for job in waiting}
        with closing(train_all(waiting, study.store, request, watcher.event, stop)) as ended:
            for outcome in ended:
                outcomes[outcome.key] = outcome
                record_failure(study.store, jobs[outcome.key], outcome)
        busy = [job for job in waiting if job.key in outcomes and outcomes[job.key].state == "busy"]
        waiting = await_others(study.store, busy, watcher.event, stop)


def await_others(store: Store, busy: Sequence[RunJob], tell: Callable[[Event], None], stop: Stop) -> tuple[RunJob, ...]:
    """Waits for the runs that another process trains; gives those that it left unfinished, which are now ours."""
    with stop.listening():
        while busy and not stop.requested:
            left = [job for job in busy if not is_there(store, job)]
            for job in busy:
                if job not in left:
                    tell(Event("ended", job.key, Outcome(job.key, "done")))
            free = tuple(job for job in left if store.holder(job.key) is None and not is_there(store, job))
            if free:
                return tuple(left)
            busy = left
            stop.event.wait(SECONDS_BETWEEN_LOOKS)
    return ()


def keep_manifest(study: Study, request: Request) -> Study:
    """Writes `study.json`, extending the one that is there; refuses a recipe whose variants changed their meaning."""
    with study.store.lock_study():
        if study.store.exists():
            manifest = merge_manifests(study.store.manifest(), study.manifest, accept=request.changed or request.fresh)
            study = Study(study.recipe, study.store, manifest, study.jobs, study.notices)
        study.store.write_manifest(study.manifest)
    return study


def missing(study: Study, request: Request) -> tuple[RunJob, ...]:
    """The runs to train: those without a record, and those whose state is to be tried again."""
    records = study.store.scan().records
    again = request.retried_states()
    todo = []
    for job in study.jobs:
        record = records.get(job.key)
        if record is None:
            todo.append(job.model_copy(update={"afresh": request.fresh}))
        elif request.fresh or record.state in again:
            todo.append(job.model_copy(update={"replaces": record_hash(record), "afresh": request.fresh}))
    return tuple(todo)


def train_all(
    todo: Sequence[RunJob], store: Store, request: Request, tell: Callable[[Event], None], stop: Stop
) -> Generator[Outcome, None, None]:
    """Each run in a process of its own, or all in this one with `--inline`."""
    settings = replace(settings_of(request, len(todo)), prepare=SHARE, prepare_with=shared_data(todo))
    # A run's bits depend on the number of its threads: fixed here, so that they never depend on the number of workers.
    fixed: dict[str, Any] = {"threads": settings.threads, **({"device": "cuda"} if settings.devices else {})}
    jobs = [Job(job.key, job.model_copy(update=fixed).model_dump(mode="json"), job.label) for job in todo]
    return execute(jobs, WORK, settings, logs=store.logs, on_event=tell, stop=stop)  # type: ignore[return-value]


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
    workers = request.workers or (cores if on_cpu else max(1, len(gpus)))
    return Settings(
        workers=max(1, min(workers, runs)),
        isolate=not request.inline,
        timeout=request.run_timeout,
        threads=request.threads or (1 if on_cpu else max(1, cores // workers)),
        devices=gpus,
        preload=("torch", "ablate.study.train"),
    )


def visible_gpus(device: torch.device) -> tuple[str, ...]:
    """The GPUs to spread runs over, each as a value of CUDA_VISIBLE_DEVICES: all that this process sees, or the one."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    seen = (named or [str(index) for index in range(torch.cuda.device_count())])[: torch.cuda.device_count()]
    return tuple(seen) if device.index is None else (seen[device.index],)


def record_failure(store: Store, job: RunJob, outcome: Outcome) -> None:
    """A run that failed or was interrupted leaves a record with its reason and last log lines, unless it has one."""
    if outcome.state not in ("failed", "interrupted"):
        return
    state: RunState = "failed" if outcome.state == "failed" else "interrupted"
    with suppress(AblateError):  # a full disk: the outcome says it, and the other runs go on
        lock = store.lock_run(job.key)
        if lock is None:
            return  # somebody else has taken it up meanwhile
        with lock:
            before = readable_record(store, job.key)
            if not is_there(store, job) and not (state == "interrupted" and before and before.state == "done"):
                where = device_facts(job, pick_device(job.device), threads=job.threads)
                record = run_record(job, state=state, reason=outcome.reason, environment=environment(device=where))
                store.put(record, log=outcome.log_tail, recipe=job.recipe_text, replace=True)


def end_of(study: Study, todo: Sequence[RunJob], outcomes: Mapping[str, Outcome], *, interrupted: bool) -> StudyEnd:
    """What became of every run: by its record, or, where none could be written, by what its process said."""
    records = study.store.scan().records
    states = {key: record.state for key, record in records.items()}
    failures = []
    for job in study.jobs:
        record, outcome = records.get(job.key), outcomes.get(job.key)
        if record is not None and record.state in ("failed", "diverged"):
            failures.append((job, Outcome(job.key, "failed", record.reason)))
        elif outcome is not None and outcome.state == "failed" and (record is None or record.state != "done"):
            failures.append((job, outcome))
    busy = {key for key, outcome in outcomes.items() if outcome.state == "busy"}
    ended = [job for job in todo if states.get(job.key) == "done" and job.key in outcomes]
    return StudyEnd(
        study=study,
        trained=sum(job.key not in busy for job in ended),
        kept=len(study.jobs) - len(todo),
        failures=tuple(failures),
        elsewhere=tuple(job for job in todo if job.key in busy),
        interrupted=interrupted,
        states=dict(states),
    )
