"""Variants in, what the model of each weighs out, and how long training them all takes by its FLOPs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ablate.contract import DataSpec, EncodingSpec
from ablate.errors import AblateError, Problems
from ablate.model.cost import describe
from ablate.recipe import load_recipe
from ablate.request import Request
from ablate.result import ModelCost
from ablate.study.study import data_sets, select
from ablate.variant import Variant, survey

SLOW_CPU_FLOPS = 5e10
"""Floating-point operations a second that a laptop's core sustains in training."""
BACKWARD = 3
"""A training step costs about three forward passes."""


@dataclass(frozen=True)
class Weighed:
    """A variant and what its model weighs."""

    variant: Variant
    cost: ModelCost


def weigh(
    variants: Sequence[Variant], *, units: int | None = None, behaviors: int | None = None, sessions: int | None = None
) -> tuple[Weighed, ...]:
    """Every variant's cost, on the recipe's data or on data of the given size."""
    weighed = []
    for variant in variants:
        spec = resized(variant.configuration.data.describe(), units=units, behaviors=behaviors, sessions=sessions)
        weighed.append(Weighed(variant, describe(variant.configuration.model, spec)))
    return tuple(weighed)


def resized(spec: DataSpec, *, units: int | None, behaviors: int | None, sessions: int | None) -> DataSpec:
    """The same data with other numbers of sessions, units and behaviour variables."""
    if units is None and behaviors is None and sessions is None:
        return spec
    if not isinstance(spec, EncodingSpec):
        raise AblateError("--units, --behaviors and --sessions are for encoding studies")
    every = spec.sessions if sessions is None else tuple(spec.sessions[i % len(spec.sessions)] for i in range(sessions))

    def one(session: Any) -> Any:
        number = session.units if units is None else units
        rates = tuple(session.mean_rate[i % len(session.mean_rate)] for i in range(number))
        columns = session.behaviors if behaviors is None else behaviors
        return replace(session, units=number, mean_rate=rates, behaviors=columns)

    return replace(spec, sessions=tuple(one(session) for session in every))


def cpu_seconds(request: Request) -> float:
    """All training steps of all variants and seeds by their FLOPs, on all cores."""
    recipe, problems = load_recipe(request.recipe, sets=data_sets(request)), Problems()
    layout = survey(recipe, problems)
    if problems:
        return 0.0  # the manifest, which comes next, tells them together with those that it finds itself
    weighed = weigh(select(layout.variants, request))
    seeds = len(request.seed_list() or recipe.seeds)
    operations = 0.0
    for item in weighed:
        training = item.variant.configuration.training
        operations += BACKWARD * item.cost.total_flops * training.steps * training.batch_size
    return operations * seeds / (SLOW_CPU_FLOPS * (os.cpu_count() or 1))
