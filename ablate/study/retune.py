"""A study whose own runs have ended in, the runs of its search out. Trains nothing.

The search's settings are those of the recipe, and those that a searched row has of its own; all rows get the same. Each
is an ordinary run under its ordinary key, so what is there already (every row as written) is not trained again.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from ablate.analysis.apart.choice import rows_to_retune
from ablate.analysis.apart.retuning import best_setting, by_key, study_seeds
from ablate.analysis.row.files import files_of
from ablate.analysis.study import analyse
from ablate.disk.read import Json
from ablate.errors import Problems
from ablate.recipe import Configuration, Patch, Recipe
from ablate.recipe.resolve import resolve
from ablate.recipe.schema import placed
from ablate.request import Request
from ablate.result import Retuning, VariantEntry, content_key
from ablate.study.running.job import RunJob
from ablate.study.setup.manifest import identity_of
from ablate.study.study import Study
from ablate.variant import apply
from ablate.variant.teaching import equally_taught

SEARCH_SEEDS = 3
Setting = Json


def with_retuning(study: Study, request: Request) -> Study:
    """The study with its search planned and stored as far as the records reach."""
    store = study.store
    records = store.records()
    alone = study.manifest.model_copy(update={"confirmations": (), "retuning": None})
    wanted = rows_to_retune(analyse(alone, records, **files_of(store)), request.retune)
    with store.lock_study():
        manifest = store.manifest()
        before = manifest.retuning.rows[1:] if manifest.retuning else ()
        entries = {entry.name: entry for entry in manifest.variants}
        base = next(name for name, entry in entries.items() if entry.role == "baseline")
        templates = {job.variant: job for job in study.jobs}
        rows = [name for name in entries if name in {*wanted, *before} and name in templates]
        if rows:
            plan = _plan(study.recipe, [entries[name] for name in (base, *rows)], templates)
            plan = plan.model_copy(update={"keys": _with_best(plan, study, entries, templates)})
            if plan != manifest.retuning:
                manifest = manifest.model_copy(update={"retuning": plan})
                store.write_manifest(manifest)
    return replace(study, manifest=manifest)


def retuning_jobs(study: Study) -> tuple[RunJob, ...]:
    """Seed-major: every row at every setting."""
    plan = study.manifest.retuning
    if plan is None:
        return ()
    templates = {job.variant: job for job in study.jobs}
    entries = {entry.name: entry for entry in study.manifest.variants}
    jobs: dict[str, RunJob] = {job.key: job for job in study.jobs}
    own = set(jobs)
    for seed in sorted({seed for held in plan.keys.values() for keys in held for seed in keys}):
        for name in plan.rows:
            for setting, keys in zip(plan.settings, plan.keys[name], strict=True):
                if seed not in keys or keys[seed] in jobs or name not in templates:
                    continue
                configuration = configured(study.recipe, entries[name], setting)
                told = ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in setting.items())
                update = {
                    "variant": f"{name} ({told})",
                    "key": keys[seed],
                    "seed": seed,
                    "configuration": configuration,
                }
                jobs[keys[seed]] = templates[name].model_copy(update=update)
    return tuple(job for key, job in jobs.items() if key not in own)


def configured(recipe: Recipe, entry: VariantEntry, setting: Setting) -> Configuration:
    """A row at a setting. Raises AblateError where the row's model has no such key, or not this value."""
    paths = {key.name: key.path for key in recipe.retune}
    patches = [recipe.patches[name] for name in entry.patches]
    patches += [Patch(name, tree=placed(paths[name], value)) for name, value in setting.items()]
    problems = Problems()
    found = resolve(apply(recipe.tree, patches), problems).configuration
    for wrong in (problems.unknown, problems.wrong):
        wrong[:] = [replace(problem, what=f"{entry.name} cannot be retuned: {problem.what}") for problem in wrong]
    problems.refuse()
    assert found is not None
    return equally_taught(found, recipe.configuration)


def check_search(study: Study) -> None:
    """Raises AblateError where a patch has no such key or not such a value: before anything is trained."""
    patches = [entry for entry in study.manifest.variants if entry.role == "variant"]
    for entry in patches:
        for setting in settings_of_search(study.recipe, ()):
            configured(study.recipe, entry, setting)


def settings_of_search(recipe: Recipe, configurations: Sequence[Configuration]) -> tuple[Setting, ...]:
    """All combinations of the recipe's values, the baseline's own first, and those of rows that have their own."""
    names = [key.name for key in recipe.retune]
    found: list[Setting] = [
        dict(zip(names, values, strict=True)) for values in product(*(key.values for key in recipe.retune))
    ]
    for configuration in configurations:
        plain = configuration.model_dump(mode="json")
        own = {key.name: _standing(plain, key.path) for key in recipe.retune}
        if own not in found:
            found.append(own)
    return tuple(found)


def _standing(value: Json, path: tuple[str, ...]) -> object:
    for name in path:
        value = value[name]
    return value


def _plan(recipe: Recipe, entries: Sequence[VariantEntry], templates: dict[str, RunJob]) -> Retuning:
    """The search itself."""
    settings = settings_of_search(recipe, [templates[entry.name].configuration for entry in entries])
    seeds = tuple(entries[0].keys)[:SEARCH_SEEDS]
    keys = {
        entry.name: tuple(_keys(recipe, entry, setting, seeds, templates[entry.name]) for setting in settings)
        for entry in entries
    }
    return Retuning(seeds=seeds, rows=tuple(entry.name for entry in entries), settings=settings, keys=keys)


def _keys(
    recipe: Recipe, entry: VariantEntry, setting: Setting, seeds: Sequence[int], template: RunJob
) -> dict[int, str]:
    identity = identity_of(configured(recipe, entry, setting))
    return {seed: content_key(identity, seed, template.data_fingerprint) for seed in seeds}


def _with_best(
    plan: Retuning, study: Study, entries: dict[str, VariantEntry], templates: dict[str, RunJob]
) -> dict[str, tuple[dict[int, str], ...]]:
    """The search's keys, and those of each row's best setting at all seeds that it has in the study."""
    ended = by_key(study.store.records())
    keys = dict(plan.keys)
    for name in plan.rows:
        best = best_setting(plan, name, ended)
        if best is None:
            continue
        seeds = sorted({*plan.seeds, *study_seeds(entries[name].keys, ended)})
        whole = _keys(study.recipe, entries[name], plan.settings[best], seeds, templates[name])
        keys[name] = tuple(whole if index == best else held for index, held in enumerate(plan.keys[name]))
    return keys
