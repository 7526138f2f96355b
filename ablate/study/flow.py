"""The whole flow on one page: a request is read, every run that is not there yet is trained, failures are recorded.

    recipe.yaml -> Recipe -> variants -> (build model, open data) -> fit -> scores -> run record -> analysis -> report

The last two steps need nothing but the results folder, and happen elsewhere (`ablate.analysis`, `ablate.report`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablate.analysis.cells import Cells, gather
from ablate.analysis.outcome import Settling
from ablate.analysis.stopping.settle import ahead_of, settle
from ablate.analysis.words import listing, spans
from ablate.execution import Outcome, Stop
from ablate.request import Request
from ablate.study.budget import covered
from ablate.study.confirm import confirmation_jobs, with_confirmation
from ablate.study.logger import logging_to
from ablate.study.retune import check_search, retuning_jobs, with_retuning
from ablate.study.running.end import StudyEnd, end_of
from ablate.study.running.job import RunJob
from ablate.study.running.missing import missing, train_missing
from ablate.study.running.train import is_there
from ablate.study.running.watcher import Watcher
from ablate.study.running.workers import settings_of
from ablate.study.setup.merge import keep_manifest
from ablate.study.study import Study, study_of


def run_study(request: Request, watcher: Watcher | None = None) -> StudyEnd:
    """Trains what is missing. Raises AblateError for what a person can fix; a run that fails is in the outcome."""
    watcher = watcher or Watcher()
    study = study_of(request, watcher.doing)
    if searched := study.recipe.retune and request.retune != "none" and not (request.quick or request.only):
        check_search(study)
    study = keep_manifest(study, request)
    stop = Stop()
    outcomes: dict[str, Outcome] = {}
    run = run_seeds if study.manifest.schedule is None else run_looks
    with logging_to(study, watcher) as watcher:
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

    What is bought follows from the records alone, so a study that was killed goes on as if it had not been. `--ahead`:
    with a look's runs go those of the looks after it, if the budget covers them too; they count at their own look.
    """
    trained: dict[str, RunJob] = {}
    beyond: Settling | None = None
    todo: tuple[RunJob, ...] = tuple(job for job in missing(study, request) if job.replaces)  # `--retry`
    watcher.planned(study, todo)
    while True:
        train_missing(study, todo, request, watcher, outcomes, stop)
        trained.update({job.key: job for job in todo})
        cells = cells_so_far(study)
        state = settled_so_far(study, cells)
        lacking = tuple(job for job in missing(study, request) if job.key not in trained)
        todo = of_seeds(lacking, state.buy)
        if not todo or stop.requested:
            break
        if not within_budget(study, request, todo):
            beyond = state
            break
        ahead = of_seeds(lacking, ahead_of(cells, state, request.ahead)) if request.ahead else ()
        ahead = ahead if ahead and within_budget(study, request, (*todo, *ahead)) else ()
        watcher.look(state, todo, ahead)
        todo = (*todo, *ahead)
    kept = replace(study, jobs=tuple(job for job in study.jobs if is_there(study.store, job) or job.key in trained))
    end = end_of(kept, tuple(trained.values()), outcomes, interrupted=stop.requested)
    return replace(end, study=study, beyond=beyond)


def cells_so_far(study: Study) -> Cells:
    return gather(study.manifest, study.store.records())


def settled_so_far(study: Study, cells: Cells) -> Settling:
    """Where the rows stand by the records that are there."""
    assert study.manifest.schedule is not None
    return settle(cells, study.manifest.schedule, study.manifest.analysis)


def of_seeds(jobs: Sequence[RunJob], seeds: Mapping[str, Sequence[int]]) -> tuple[RunJob, ...]:
    """Those of the jobs whose variant has their seed here."""
    return tuple(job for job in jobs if job.seed in seeds.get(job.variant, ()))


def within_budget(study: Study, request: Request, todo: Sequence[RunJob]) -> bool:
    workers = settings_of(request, study.execution, len(study.jobs)).counted
    variants = [job.variant for job in todo]
    return covered(study.manifest, study.store.records(), variants, request.allowance(), workers)
