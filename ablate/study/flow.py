"""The whole flow on one page: a request is read, every run that is not there yet is trained, failures are recorded.

    recipe.yaml -> Recipe -> variants -> (build model, open data) -> fit -> scores -> run record -> analysis -> report

The last two steps need nothing but the results folder, and happen elsewhere (`ablate.analysis`, `ablate.report`).
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from ablate.analysis import Settling, gather, settle
from ablate.analysis.words import listing, spans
from ablate.errors import AblateError
from ablate.execution import Event, Job, Outcome, Stop, execute
from ablate.request import Request
from ablate.result import Store, environment
from ablate.result.record import RunState
from ablate.study.budget import covered
from ablate.study.confirm import confirmation_jobs, with_confirmation
from ablate.study.merge import merge_manifests
from ablate.study.retune import check_search, retuning_jobs, with_retuning
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
from ablate.study.workers import settings_of, shared_data
from ablate.training import pick_device

SECONDS_BETWEEN_LOOKS = 0.2
"""At runs that another process trains."""
WORK = f"{train_run.__module__}:{train_run.__name__}"
SHARE = f"{share_data.__module__}:{share_data.__name__}"


@runtime_checkable
class Watcher(Protocol):
    """Hears how a study goes."""

    def doing(self, what: str) -> None:
        """What is being done before there is a plan, in a few words."""

    def planned(self, study: Study, todo: Sequence[RunJob]) -> None: ...

    def look(self, state: Settling, todo: Sequence[RunJob]) -> None:
        """Before each look of a study that is run until settled: where it stands, and what the look trains."""

    def stage(self, name: str, todo: Sequence[RunJob]) -> None:
        """Before runs that are not the study's own: what they are for."""

    def event(self, event: Event) -> None: ...

    def finished(self) -> None: ...


class Silent:
    """Watches nothing."""

    def doing(self, what: str) -> None: ...

    def planned(self, study: Study, todo: Sequence[RunJob]) -> None: ...

    def look(self, state: Settling, todo: Sequence[RunJob]) -> None: ...

    def stage(self, name: str, todo: Sequence[RunJob]) -> None: ...

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
    unconfirmed: str = ""
    """Why nothing was confirmed although it was asked for."""

    def joined(self, more: "StudyEnd") -> "StudyEnd":
        """With the runs of a further stage."""
        return replace(
            self,
            study=more.study,
            trained=self.trained + more.trained,
            kept=self.kept + more.kept,
            failures=(*self.failures, *more.failures),
            elsewhere=(*self.elsewhere, *more.elsewhere),
            interrupted=self.interrupted or more.interrupted,
            states=self.states | more.states,
        )


def run_study(request: Request, watcher: Watcher | None = None) -> StudyEnd:
    """Trains what is missing. Raises AblateError for what a person can fix; a run that fails is in the outcome."""
    watcher = watcher or Silent()
    study = study_of(request, watcher.doing)
    if searched := study.recipe.retune and request.retune != "none" and not (request.quick or request.only):
        check_search(study)
    study = keep_manifest(study, request)
    stop = Stop()
    outcomes: dict[str, Outcome] = {}
    run = run_seeds if study.manifest.schedule is None else run_looks
    end = run(study, request, watcher, outcomes, stop)
    if searched and not stop.requested:
        end = retune(end, request, watcher, outcomes, stop)
    if request.confirm is not None and not stop.requested:
        end = confirm(end, request, watcher, outcomes, stop)
    watcher.finished()
    return end


def run_seeds(study: Study, request: Request, watcher: Watcher, outcomes: dict[str, Outcome], stop: Stop) -> StudyEnd:
    """Trains what is missing of a study whose seeds are fixed."""
    todo = missing(study, request)
    watcher.planned(study, todo)
    train_missing(study, todo, request, watcher, outcomes, stop)
    return end_of(study, todo, outcomes, interrupted=stop.requested)


def retune(end: StudyEnd, request: Request, watcher: Watcher, outcomes: dict[str, Outcome], stop: Stop) -> StudyEnd:
    """The recipe's search: first every setting at the search's seeds, then the best ones at the study's."""
    for name in ("the search", "the best settings at the other seeds"):
        study = with_retuning(end.study, request)
        jobs = retuning_jobs(study)
        todo = missing(replace(study, jobs=jobs), replace(request, fresh=False))
        if todo and study.manifest.retuning is not None:
            watcher.stage(f"retuning {listing(study.manifest.retuning.rows)}, {name}", todo)
        train_missing(study, todo, request, watcher, outcomes, stop)
        more = end_of(replace(study, jobs=todo), todo, outcomes, interrupted=stop.requested)
        end = end.joined(replace(more, study=study))
        if stop.requested:
            break
    return end


def confirm(end: StudyEnd, request: Request, watcher: Watcher, outcomes: dict[str, Outcome], stop: Stop) -> StudyEnd:
    """Tries what the study chose on seeds that nothing has looked at."""
    study, rows = with_confirmation(end.study, request)
    jobs = confirmation_jobs(study)
    todo = missing(replace(study, jobs=jobs), request)
    if todo:
        seeds = spans(sorted({job.seed for job in todo}))
        watcher.stage(f"confirming {listing(rows)} on the fresh seeds {seeds}", todo)
    train_missing(study, todo, request, watcher, outcomes, stop)
    more = end_of(replace(study, jobs=jobs), todo, outcomes, interrupted=stop.requested)
    why = "" if rows else f"no row is `{request.confirm_rows}`, so there is nothing to confirm"
    return replace(end.joined(replace(more, study=study)), unconfirmed=why)


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
        look, workers = [job.variant for job in todo], settings_of(request, len(study.jobs)).workers
        if not covered(study.manifest, study.store.records(), look, request.allowance(), workers):
            beyond = state
            break
        watcher.look(state, todo)
    kept = replace(study, jobs=tuple(job for job in study.jobs if is_there(study.store, job) or job.key in trained))
    end = end_of(kept, tuple(trained.values()), outcomes, interrupted=stop.requested)
    return replace(end, study=study, beyond=beyond)


def settled_so_far(study: Study) -> Settling:
    """Where the rows stand by the records that are there."""
    manifest = study.manifest
    assert manifest.schedule is not None
    return settle(gather(manifest, study.store.records()), manifest.schedule, manifest.analysis)


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
            scored = any(record.state == "done" for record in study.store.scan().records.values())
            accept = request.changed or request.fresh or not scored  # without a score there is none to mix up
            manifest = merge_manifests(study.store.manifest(), study.manifest, accept=accept)
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
