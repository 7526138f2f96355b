"""Variants in, what the model of each weighs out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ablate.contract import DataSpec, EncodingSpec, SessionSpec
from ablate.errors import AblateError
from ablate.model.cost import describe
from ablate.result import ModelCost
from ablate.variant import Variant


@dataclass(frozen=True)
class Weighed:
    """A variant and what its model weighs."""

    variant: Variant
    cost: ModelCost


def weigh(
    variants: Sequence[Variant],
    *,
    units: int | None = None,
    behaviors: int | None = None,
    sessions: int | None = None,
    tell: Callable[[str], None] = lambda doing: None,
) -> tuple[Weighed, ...]:
    """Every variant's cost, on the recipe's data or on data of the given size. tell: hears what is being done."""
    weighed = []
    for number, variant in enumerate(variants, 1):
        tell(f"weighing variant {number} of {len(variants)}: {variant.name}")
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

    def one(session: SessionSpec) -> SessionSpec:
        number = session.units if units is None else units
        rates = tuple(session.mean_rate[i % len(session.mean_rate)] for i in range(number))
        columns = session.behaviors if behaviors is None else behaviors
        return replace(session, units=number, mean_rate=rates, behaviors=columns)

    return replace(spec, sessions=tuple(one(session) for session in every))
