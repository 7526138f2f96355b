"""Chosen variants and what is known of their data in, the manifest of the study out, as `study.json` keeps it."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from ablate.analysis.taught import taught
from ablate.config import non_default
from ablate.disk.read import Json
from ablate.errors import Problems
from ablate.model.cost import describe
from ablate.recipe import Configuration, Recipe
from ablate.request import Request, request_hash
from ablate.result import (
    ModelCost,
    StudyManifest,
    VariantEntry,
    content_key,
    environment,
)
from ablate.result.manifest import AnalysisRule, Role
from ablate.study.setup.chosen import rehearsed
from ablate.study.setup.facts import DataFacts
from ablate.variant import Layout, Variant, also_changed

MADE_DATA = ("synthetic_v1", "coincidence", "flipflop")
"""Kinds of data that follow from the recipe alone."""


def make_manifest(
    recipe: Recipe,
    request: Request,
    layout: Layout,
    variants: Sequence[Variant],
    facts: Mapping[str, DataFacts],
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
    if not request.allow_noop:
        _refuse_copies(variants, entries)
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
        environment=environment(results=request.out),
    )


def cost_of(variant: Variant, facts: DataFacts) -> ModelCost:
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
    changes = variant.changes(baseline.configuration) if role != "baseline" else ""
    identity = identity_of(variant.configuration)
    return VariantEntry(
        name=variant.name,
        role=role,
        title=variant.title,
        patches=variant.patches,
        aliases=variant.aliases,
        strategies=variant.strategies,
        changes=changes,
        also_changed=(*also_changed(costs.get(baseline.name, cost), cost), *_taught(changed, changes))
        if role in ("variant", "reference")
        else (),
        differences=changed,
        expect=variant.expect,
        expect_cost=dict(variant.expect_cost) if variant.expect_cost else None,
        config_hash=content_key(identity, 0, ""),
        keys={seed: content_key(identity, seed, fingerprint) for seed in seeds},
        cost=cost,
    )


def _taught(differences: Mapping[str, tuple[object, object]], changes: str) -> Iterator[str]:
    """What else a model is taught by than the baseline, where the few words of its changes leave it out."""
    for path, text in taught(differences).items():
        if path.rpartition(".")[2] not in changes:
            yield text


def _refuse_copies(variants: Sequence[Variant], entries: Sequence[VariantEntry]) -> None:
    """Raises AblateError for two variants that are one, since the files that they name hold the same."""
    first: dict[tuple[str, ...], str] = {}
    problems = Problems()
    for variant, entry in zip(variants, entries, strict=True):
        name = first.setdefault(entry.run_keys, entry.name)
        if name != entry.name and entry.role != "control":
            what = f"`{entry.name}` is `{name}`: the files that they read lie at different places and hold the same"
            problems.fault(what, variant.where, "name other files, or keep it as an A/A control by `allow_noop: true`")
    problems.refuse()


def identity_of(configuration: Configuration) -> Json:
    """What a run is, for its key: fields that differ from the defaults, without those that change no number, and
    without where files lie, whose content is hashed beside them."""
    identity = non_default(configuration, locations=False)
    for name in type(configuration.training).bookkeeping:
        identity.get("training", {}).pop(name, None)
    return identity


def expectations_hash(entries: Sequence[VariantEntry], rule: AnalysisRule) -> str:
    """Hash of everything that was predicted, and of the rule that will probe it where it is not the default."""
    predicted: Json = {
        entry.name: [entry.expect, entry.expect_cost] for entry in entries if entry.expect or entry.expect_cost
    }
    if rule != AnalysisRule():
        predicted["analysis:"] = rule.model_dump()  # no variant's name holds a colon
    return hashlib.sha256(json.dumps(predicted, sort_keys=True).encode()).hexdigest()[:16]
