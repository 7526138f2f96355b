"""The runs that a study lacks: which they are, and their training, each with a record in the end."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import replace

import torch

from ablate.errors import AblateError
from ablate.execution import Event, Job, Outcome, Settings, Stop, execute
from ablate.execution.job import DeviceUse
from ablate.request import Request
from ablate.result import Store, environment
from ablate.result.record import RunState
from ablate.study.running.home import StudyHome
from ablate.study.running.job import RunJob, device_facts, device_use, run_record
from ablate.study.running.train import (
    is_there,
    readable_record,
    record_hash,
    share_data,
    train_run,
)
from ablate.study.running.watcher import Watcher
from ablate.study.running.workers import device_of, settings_of, shared_data
from ablate.study.study import Study
from ablate.training import pick_device

SECONDS_BETWEEN_LOOKS = 0.2
"""At runs that another process trains."""
WORK = f"{train_run.__module__}:{train_run.__name__}"
SHARE = f"{share_data.__module__}:{share_data.__name__}"


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
        settings = settings_of(request, study.execution, len(waiting))
        jobs = {job.key: job for job in as_executed(waiting, device_of(request, study.execution), settings)}
        with closing(train_all(tuple(jobs.values()), study.store, settings, watcher.event, stop)) as ended:
            for outcome in ended:
                outcomes[outcome.key] = replace(outcome, log_tail="")  # ten thousand logs would fill the memory
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
    wanted = {job.key for job in todo}
    _settle(study.store, {key for key, record in records.items() if record.state == "done" and key not in wanted})
    return tuple(todo)


def _settle(store: Store, done: set[str]) -> None:
    """Clears away what is left of finished runs: who trained one was killed just after its record was in place."""
    for key in done.intersection(store.with_checkpoints()):
        if (held := store.lock_run(key)) is not None:
            with held:
                store.settle(key)


def as_executed(todo: Sequence[RunJob], device: str, settings: Settings) -> list[RunJob]:
    """The runs with their threads and devices fixed: a run's bits depend on their numbers, which must never depend on
    the number of workers or on the engine. No more devices than rows in a batch, as a rehearsal's may be."""
    fixed = {"threads": settings.threads, "device": "cuda" if settings.devices else device}
    rows = [job.configuration.training.batch_size for job in todo]
    shared = ({"devices": min(settings.processes, most)} for most in rows)
    return [job.model_copy(update=fixed | own) for job, own in zip(todo, shared, strict=True)]


def train_all(
    todo: Sequence[RunJob], store: Store, settings: Settings, tell: Callable[[Event], None], stop: Stop
) -> Generator[Outcome, None, None]:
    """Each run by the engine of the settings."""
    shared = replace(settings, prepare=SHARE, prepare_with=shared_data(todo))
    took = known_uses(todo, store) if settings.shares else {}
    jobs = [
        Job(job.key, job.model_dump(mode="json"), job.label, job.variant, took.get(job.variant))
        for job in longest_at_the_end_first(todo)
    ]
    home = StudyHome(store, {job.key: job for job in todo})
    return execute(jobs, WORK, shared, logs=store.logs, tickets=store.tickets, on_event=tell, stop=stop, home=home)  # type: ignore[return-value]


def known_uses(todo: Sequence[RunJob], store: Store) -> dict[str, DeviceUse]:
    """What runs that are done took of a GPU, the most by variant: of those of this very configuration."""
    wanted = {job.variant: job.configuration.model_dump(mode="json") for job in todo}
    found: dict[str, DeviceUse] = {}
    for record in store.scan().records.values():
        if record.state == "done" and record.config == wanted.get(record.variant) and (use := device_use(record)):
            found[record.variant] = max(use, found.get(record.variant, use), key=lambda use: use.peak)
    return found


def longest_at_the_end_first(todo: Sequence[RunJob]) -> list[RunJob]:
    """The runs as they stand, but those of the last seed by their work, the longest first: else one core trains the
    longest while all others have nothing left to do. A study of one seed keeps its order, the baseline first."""
    seeds = list(dict.fromkeys(job.seed for job in todo))
    if len(seeds) < 2:
        return list(todo)
    last = [job for job in todo if job.seed == seeds[-1]]
    return [job for job in todo if job.seed != seeds[-1]] + sorted(last, key=operations, reverse=True)


def operations(job: RunJob) -> int:
    """Forward operations of a whole run, by formula: what tells a long run from a short one."""
    training = job.configuration.training
    return job.cost.total_flops * training.batch_size * training.steps if job.cost else 0


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
                device = pick_device("auto") if job.device == "auto" else torch.device(job.device)  # perhaps not here
                where = device_facts(job, device, threads=job.threads)
                told = environment(device=where, results=store.root.parent)
                record = run_record(job, state=state, reason=outcome.reason, environment=told)
                store.put(record, log=outcome.log_tail, recipe=job.recipe_text, replace=True)
