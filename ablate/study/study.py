"""A request in, a study out: which variants, at which seeds, and each of its runs. Trains nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from ablate.analysis.words import listing
from ablate.disk.stamp import stamp_of
from ablate.errors import Problem, Problems
from ablate.execution.engine import entry_of
from ablate.execution.options import Common
from ablate.logger import AnyLogger, chosen_loggers
from ablate.recipe import Recipe, load_recipe
from ablate.recipe.execution import execution_of
from ablate.request import Request
from ablate.result import (
    Store,
    StudyManifest,
)
from ablate.study.running.job import RunJob
from ablate.study.running.workers import settings_of
from ablate.study.setup.chosen import rehearsed, select
from ablate.study.setup.devices import check_shared
from ablate.study.setup.facts import DataFacts, data_facts, data_files, data_sets, facts_of
from ablate.study.setup.folds import in_fold, in_folds
from ablate.study.setup.manifest import make_manifest
from ablate.study.setup.seeds import looked_at, schedule_of, seen_before
from ablate.variant import Layout, Variant, survey
from ablate.variant.own_part import imported_targets
from ablate.variant.probe import real_variants

QUICK_SUFFIX = "-quick"
"""A rehearsal has a results folder of its own, so that its numbers can never stand among results."""


@dataclass(frozen=True)
class Study:
    """What is to be trained: the manifest of the whole study, and its runs in seed-major order, the baseline first;
    how they are executed, and whom is told of them."""

    recipe: Recipe
    store: Store
    manifest: StudyManifest
    jobs: tuple[RunJob, ...]
    notices: tuple[Problem, ...] = ()
    execution: Common = field(default_factory=Common)
    loggers: tuple[AnyLogger, ...] = ()


def study_of(request: Request, tell: Callable[[str], None] = lambda doing: None) -> Study:
    """Reads the recipe, expands and checks its variants, opens the data and keys every run.

    tell: hears what is being done, in a few words.
    Raises AblateError for everything that a person can fix: before anything is trained or written.
    """
    tell(f"reading {request.recipe}")
    recipe, problems = load_recipe(request.recipe, sets=data_sets(request)), Problems()
    execution = execution_of(
        recipe.execution, engine=request.engine_name(), workers=request.workers, cpus=request.threads
    )
    entry_of(execution.engine)
    loggers = chosen_loggers(recipe.log, request.log)
    layout = survey(recipe, problems)
    files = data_files(layout.variants)
    files_before = stamp_of(files)  # before they are read, so that a change after that is seen
    chosen = rehearsed(sound_variants(layout, request, problems, tell), request.quick)
    facts = facts_of(chosen)
    if execution.processes > 1:
        check_shared(chosen, facts, settings_of(request, execution, 1).processes, rehearsal=request.quick)
    tell(f"weighing {len(chosen)} variants")
    problems.notices += own_code(chosen)
    name = recipe.name + (QUICK_SUFFIX if request.quick else "")
    store = Store.of(request.out, name)
    taken = {*(store.manifest().fresh_seeds if store.exists() else ()), *looked_at(recipe)}
    schedule = schedule_of(recipe.seeds, taken) if request.until_settled() else None
    seeds = schedule.seeds if schedule else request.seed_list() or recipe.seeds
    worth = request.worth_having()
    recipe = recipe if worth is None else replace(recipe, analysis=recipe.analysis.model_copy(update={"worth": worth}))
    seeds = seeds[:1] if request.quick else seeds
    problems.notices += seen_before(recipe, seeds)
    manifest = make_manifest(recipe, request, layout, chosen, facts, name=name, seeds=seeds)
    manifest = manifest.model_copy(update={"data_files": files, "data_stamp": files_before, "schedule": schedule})
    manifest = in_folds(manifest, chosen, facts, request)
    jobs = make_jobs(manifest, chosen, facts, store, request)
    notices = (*recipe.notices, *problems.notices, *facts[chosen[0].name].notices)
    return Study(recipe, store, manifest, jobs, notices, execution, loggers)


def sound_variants(
    layout: Layout, request: Request, problems: Problems, tell: Callable[[str], None]
) -> tuple[Variant, ...]:
    """The chosen variants, each a real change. Raises AblateError with every problem of the recipe at once."""
    chosen = layout.variants
    with problems.collecting():
        if not problems:
            chosen = select(chosen, request)
        first = rehearsed(chosen[:1], request.quick)[0]
        tell(f"opening data: {first.configuration.data.summary()}")
        data_facts(first.configuration)  # a fault of the data is named once, first
        chosen = real_variants(chosen, problems, allow_noop=request.allow_noop, tell=tell)
    problems.refuse()
    return chosen


def own_code(variants: Sequence[Variant]) -> list[Problem]:
    """The code of the user's that a recipe runs by naming it."""
    named: dict[str, list[str]] = {}
    for variant in variants:
        for target in imported_targets(variant.configuration.model_dump()):
            named.setdefault(target, []).append(variant.name)
    return [
        Problem(f"{listing(names)} {'runs' if len(names) == 1 else 'run'} code of yours: {target}")
        for target, names in named.items()
    ]


def make_jobs(
    manifest: StudyManifest,
    variants: Sequence[Variant],
    facts: Mapping[str, DataFacts],
    store: Store,
    request: Request,
) -> tuple[RunJob, ...]:
    """Seed-major: seed 0 of every variant (in a cross-validation fold by fold), the baseline first, then seed 1, so
    that a part is useful already."""
    configurations = {variant.name: variant.configuration for variant in variants}
    plan = manifest.cross_validation
    folds = ("",) if plan is None else plan.names
    jobs: dict[str, RunJob] = {}
    for seed, (index, fold) in product(manifest.seeds, enumerate(folds)):
        for entry in manifest.variants:
            configuration = configurations[entry.name]
            key = entry.keys[seed] if plan is None else entry.folds[seed][index]
            jobs.setdefault(
                key,
                RunJob(
                    store=str(Path(store.root).resolve()),
                    study=manifest.name,
                    variant=entry.name,
                    key=key,
                    seed=seed,
                    fold=fold,
                    configuration=configuration if plan is None else in_fold(configuration, index),
                    cost=entry.cost,
                    data_fingerprint=facts[entry.name].fingerprint,
                    device=request.device,
                    threads=request.threads,
                    rehearsal=request.quick,
                    recipe_text=manifest.recipe_text,
                ),
            )
    return tuple(jobs.values())
