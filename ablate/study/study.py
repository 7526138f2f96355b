"""A request in, the manifest of a study out: which variants, at which seeds, under which keys. Trains nothing."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

from ablate.analysis.words import spans
from ablate.config import non_default
from ablate.contract import Dataset, DataSpec, Split
from ablate.data.trials.layout.detect import layout_of
from ablate.errors import AblateError, Problem, Problems
from ablate.model.cost import describe
from ablate.recipe import Configuration, Recipe, data_type, load_recipe
from ablate.request import Request, request_hash
from ablate.result import (
    ModelCost,
    Schedule,
    Store,
    StudyManifest,
    VariantEntry,
    canonical_json,
    content_key,
    environment,
)
from ablate.result.manifest import AnalysisRule, CrossValidation, Role
from ablate.result.stamp import stamp_of
from ablate.study.train import RunJob, open_data
from ablate.variant import Layout, Variant, also_changed, survey
from ablate.variant.own_part import imported_targets
from ablate.variant.probe import real_variants

CPU = torch.device("cpu")
MADE_DATA = ("synthetic_v1", "coincidence", "flipflop")
"""Kinds of data that follow from the recipe alone."""
LABELLED_DATA = ("coincidence", "flipflop", "trials")
"""Kinds of data whose place a folder of trials can take."""
QUICK_SUFFIX = "-quick"
"""A rehearsal has a results folder of its own, so that its numbers can never stand among results."""


@dataclass(frozen=True)
class Study:
    """What is to be trained: the manifest of the whole study, and its runs in seed-major order, the baseline first."""

    recipe: Recipe
    store: Store
    manifest: StudyManifest
    jobs: tuple[RunJob, ...]
    notices: tuple[Problem, ...] = ()


def study_of(request: Request, tell: Callable[[str], None] = lambda doing: None) -> Study:
    """Reads the recipe, expands and checks its variants, opens the data and keys every run.

    tell: hears what is being done, in a few words.
    Raises AblateError for everything that a person can fix: before anything is trained or written.
    """
    tell(f"reading {request.recipe}")
    recipe, problems = load_recipe(request.recipe, sets=data_sets(request)), Problems()
    layout = survey(recipe, problems)
    files = data_files(layout.variants)
    files_before = stamp_of(files)  # before they are read, so that a change after that is seen
    chosen = rehearsed(sound_variants(layout, request, problems, tell), request.quick)
    facts = facts_of(chosen)
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
    return Study(recipe, store, manifest, jobs, (*recipe.notices, *problems.notices, *facts[chosen[0].name].notices))


def schedule_of(seeds: Sequence[int], taken: Collection[int] = ()) -> Schedule:
    """The looks of a study that is run until settled: the recipe's seeds first, then the next that it does not name.

    taken: seeds of its confirmations, which must choose nothing, and seeds that were looked at before.
    """
    most = Schedule(seeds=()).looks[-1]
    more = [seed for seed in range(most + max(seeds) + len(taken) + 1) if seed not in (*seeds, *taken)]
    return Schedule(seeds=(*seeds, *more)[:most])


def looked_at(recipe: Recipe) -> tuple[int, ...]:
    """The seeds that chose something before the study."""
    return recipe.looked_at.seeds if recipe.looked_at else ()


def seen_before(recipe: Recipe, seeds: Sequence[int]) -> list[Problem]:
    """A notice where a study uses seeds that its recipe calls looked at."""
    used = [seed for seed in seeds if seed in looked_at(recipe)]
    if not used or recipe.looked_at is None:
        return []
    what = f"the study uses seed{'s' if len(used) > 1 else ''} {spans(used)}, looked at before ({recipe.looked_at.why})"
    return [
        Problem(what, "looked_at", "choose other seeds: gains over a baseline that was chosen on these are too small")
    ]


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
        open_data(first.configuration, CPU)  # a fault of the data is named once, first
        chosen = real_variants(chosen, problems, allow_noop=request.allow_noop, tell=tell)
    problems.refuse()
    return chosen


def own_code(variants: Sequence[Variant]) -> list[Problem]:
    """The code of the user's that a recipe runs by naming it."""
    named: dict[str, list[str]] = {}
    for variant in variants:
        for target in imported_targets(variant.configuration.model_dump()):
            named.setdefault(target, []).append(variant.name)
    return [Problem(f"{', '.join(names)} runs code of yours: {target}") for target, names in named.items()]


def data_sets(request: Request) -> tuple[str, ...]:
    """The overrides of the recipe, `--data` first: recordings or trials in place of the recipe's data."""
    if not request.data:
        return request.sets
    hint = "`ablate data make` writes synthetic ones"
    absent = [Problem("there is no such recording", str(path), hint) for path in request.data if not path.exists()]
    if absent:
        raise AblateError(problems=tuple(absent))
    return (*_data_of(request), *request.sets)


def _data_of(request: Request) -> tuple[str, ...]:
    """Trials where the recipe's own data are trials (recorded or made), recordings where they are not; without a recipe
    the folder itself decides."""
    paths = request.data_paths()
    layout = layout_of(Path(paths[0]))
    named = data_type(request.recipe)
    if layout is None if named is None else named not in LABELLED_DATA:
        return ("data.type=recordings", f"data.path={json.dumps(paths[0] if len(paths) == 1 else paths)}")
    if len(paths) > 1:
        what = f"a study of trials reads one folder, {len(paths)} were named"
        raise AblateError(what, where="--data", hint="put all subjects below one folder, with one manifest")
    laid_out = () if layout is None else (f"data.layout={layout}",)
    return ("data.type=trials", f"data.path={json.dumps(paths[0])}", *laid_out)


def data_files(variants: Sequence[Variant]) -> tuple[str, ...]:
    """The places that recorded data are read from; none where all data are made."""
    return tuple(dict.fromkeys(one for variant in variants for one in variant.configuration.data.sources()))


def rehearsed(variants: Sequence[Variant], quick: bool) -> tuple[Variant, ...]:
    """Every variant cut down to a few steps on little data, for `--quick`."""
    if not quick:
        return tuple(variants)
    return tuple(replace(variant, configuration=rehearse(variant.configuration)) for variant in variants)


def rehearse(configuration: Configuration) -> Configuration:
    """The same model on little data for a few steps."""
    return Configuration(
        data=configuration.data.rehearsal(),
        model=configuration.model,
        training=configuration.training.rehearsal(),
    )


def select(variants: Sequence[Variant], request: Request) -> tuple[Variant, ...]:
    """The variants that were asked for, the baseline always among them unless `--only` says otherwise."""
    names = request.variant_names()
    if names is None:
        return tuple(variants)
    known = {alias: variant for variant in variants for alias in (variant.name, *variant.aliases)}
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = f"the recipe has {', '.join(variant.name for variant in variants)}"
        option = "--variants" if request.only is None else "--only"
        raise AblateError(problems=tuple(Problem(f"no variant is called `{name}`", option, hint) for name in unknown))
    wanted = {known[name].name for name in names}
    keep_baseline = request.only is None
    return tuple(v for v in variants if v.name in wanted or (keep_baseline and v.role == "baseline"))


# ------------------------------------------------------------------ cross-validation


def in_folds(
    manifest: StudyManifest, variants: Sequence[Variant], facts: Mapping[str, "DataFacts"], request: Request
) -> StudyManifest:
    """The manifest with the runs of every fold; as it is where nothing is cross-validated.

    Raises AblateError for variants whose folds differ, and for what buys or chooses seeds one by one.
    """
    names = {variant.name: variant.configuration.data.folds() for variant in variants}
    splits = {variant.name: getattr(variant.configuration.data, "split", None) for variant in variants}
    first, common = variants[0].name, names[variants[0].name]
    others = [name for name in names if names[name] != common or (common and splits[name] != splits[first])]
    if others:
        what = f"{', '.join(others)} and {first} are cross-validated otherwise, so they cannot be paired"
        raise AblateError(what, where="data.split", hint="give all variants the same folds")
    if not common:
        return manifest
    for option, asked in (
        ("--until settled", request.until),
        ("--confirm", request.confirm),
        ("retune:", manifest.retune),
    ):
        if asked:
            hint = "fix the seeds; the interval is over the folds"
            raise AblateError(f"{option} does not go with a cross-validation", where="data.split", hint=hint)
    split, count = splits[first], len(common)
    across = getattr(split, "by", "subject") == "subject"
    plan = CrossValidation(
        names=common,
        over="subject" if getattr(split, "type", "") == "loso" else "fold",
        overlap=0.0 if across else 1 / (count - 1),
    )
    configurations = {variant.name: variant.configuration for variant in variants}
    entries = []
    for entry in manifest.variants:
        identities = [identity_of(in_fold(configurations[entry.name], fold)) for fold in range(count)]
        fingerprint = facts[entry.name].fingerprint
        keys = {seed: tuple(content_key(one, seed, fingerprint) for one in identities) for seed in manifest.seeds}
        entries.append(entry.model_copy(update={"folds": keys, "keys": {seed: held[0] for seed, held in keys.items()}}))
    return manifest.model_copy(update={"variants": tuple(entries), "cross_validation": plan})


def in_fold(configuration: Configuration, fold: int) -> Configuration:
    """The same run on one fold of its data."""
    data: Any = configuration.data.in_fold(fold)
    return Configuration(data=data, model=configuration.model, training=configuration.training)


# ------------------------------------------------------------------ the manifest


def make_manifest(
    recipe: Recipe,
    request: Request,
    layout: Layout,
    variants: Sequence[Variant],
    facts: Mapping[str, "DataFacts"],
    *,
    name: str,
    seeds: tuple[int, ...],
) -> StudyManifest:
    """The manifest as `study.json` keeps it. facts: those of every variant's data, by the variant's name."""
    baseline = next((v for v in variants if v.role == "baseline"), variants[0])
    costs = {v.name: cost_of(v, facts[v.name]) for v in variants}
    written = [v for v in layout.variants if v.role == "baseline"]  # `--only` may leave it out of the chosen ones
    compared = next(iter(rehearsed(written, request.quick)), baseline)
    entries = tuple(make_entry(v, compared, costs, facts[v.name].fingerprint, seeds) for v in variants)
    data = baseline.configuration.data
    return StudyManifest(
        name=name,
        question=recipe.question,
        expectation=recipe.expectation,
        recipe_path=request.recipe.name,
        recipe_text=recipe.text,
        request=request_hash(request),
        overrides=request.overrides(),
        data_is_made=data.type in MADE_DATA,
        data_description=data.summary(),
        data_fingerprint=facts[baseline.name].fingerprint,
        metric=facts[baseline.name].metric,
        rehearsal=request.quick,
        seeds=seeds,
        looked_at=recipe.looked_at,
        variants=entries,
        ladders=layout.ladders,
        analysis=recipe.analysis,
        retune={key.name: key.values for key in recipe.retune},
        expectations_hash=expectations_hash(entries, recipe.analysis),
        environment=environment(),
    )


def cost_of(variant: Variant, facts: "DataFacts") -> ModelCost:
    """What a variant weighs, and how much it is taught."""
    cost = describe(variant.configuration.model, facts.spec)
    return cost.model_copy(update={"bins_per_step": variant.configuration.bins_per_step})


def make_entry(
    variant: Variant, baseline: Variant, costs: Mapping[str, ModelCost], fingerprint: str, seeds: tuple[int, ...]
) -> VariantEntry:
    """One variant of the manifest, compared with the baseline."""
    changed = variant.differences(baseline.configuration)
    cost = costs[variant.name]
    role: Role = variant.role
    identity = identity_of(variant.configuration)
    return VariantEntry(
        name=variant.name,
        role=role,
        title=variant.title,
        patches=variant.patches,
        aliases=variant.aliases,
        strategies=variant.strategies,
        changes=variant.changes(baseline.configuration) if role != "baseline" else "",
        also_changed=also_changed(costs.get(baseline.name, cost), cost) if role in ("variant", "reference") else (),
        differences=changed,
        expect=variant.expect,
        expect_cost=dict(variant.expect_cost) if variant.expect_cost else None,
        config_hash=content_key(identity, 0, ""),
        keys={seed: content_key(identity, seed, fingerprint) for seed in seeds},
        cost=cost,
    )


@dataclass(frozen=True)
class DataFacts:
    """What a study must know of opened data."""

    spec: DataSpec
    fingerprint: str
    metric: str
    notices: tuple[Problem, ...]
    """What is no fault of the data, but should be known."""


def facts_of(variants: Sequence[Variant]) -> dict[str, DataFacts]:
    """The data of every variant, each data set opened once. Raises AblateError for data that cannot be scored."""
    known: dict[str, DataFacts] = {}
    facts = {}
    for variant in variants:
        text = canonical_json(variant.configuration.data.model_dump(mode="json"))
        if text not in known:
            dataset = open_data(variant.configuration, CPU)
            refuse_unscorable(dataset, variant)
            notices = tuple(Problem(what, "data") for what in dict.fromkeys(dataset.notices))
            known[text] = DataFacts(dataset.spec, dataset.fingerprint, dataset.metric, notices)
        facts[variant.name] = known[text]
    return facts


def refuse_unscorable(dataset: Dataset, variant: Variant) -> None:
    """Every run on such data would fail at its first score: refused once, before anything is trained."""
    splits: tuple[Split, ...] = ("validation", "test")
    for split in splits:
        if dataset.scored_units(split) == 0:
            raise AblateError(
                f"no unit has enough spikes in the {split} split to be scored",
                where="data.min_spikes" if variant.role == "baseline" else f"{variant.name}: data.min_spikes",
                hint="lower `min_spikes`, hold out more time (`split`, `guard`), or record longer; "
                "`ablate data info` shows the spikes of recordings",
            )


def identity_of(configuration: Configuration) -> dict[str, Any]:
    """What a run is, for its key: fields that differ from the defaults, without those that change no number."""
    identity = non_default(configuration)
    for name in type(configuration.training).bookkeeping:
        identity.get("training", {}).pop(name, None)
    return identity


def expectations_hash(entries: Sequence[VariantEntry], rule: AnalysisRule) -> str:
    """Hash of everything that was predicted, and of the rule that will probe it where it is not the default."""
    predicted: dict[str, Any] = {
        entry.name: [entry.expect, entry.expect_cost] for entry in entries if entry.expect or entry.expect_cost
    }
    if rule != AnalysisRule():
        predicted["analysis:"] = rule.model_dump()  # no variant's name holds a colon
    return hashlib.sha256(json.dumps(predicted, sort_keys=True).encode()).hexdigest()[:16]


# ------------------------------------------------------------------ the runs


def make_jobs(
    manifest: StudyManifest,
    variants: Sequence[Variant],
    facts: Mapping[str, "DataFacts"],
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
