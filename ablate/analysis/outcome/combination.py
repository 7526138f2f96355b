"""Patches combined, and models at several shares of the data: ladders, pairs, Shapley values, efficiency curves."""

from dataclasses import dataclass
from typing import Literal

from ablate.analysis.outcome.interval import Estimate, Gain, GapClosed
from ablate.result.manifest import Role

Interplay = Literal["redundant", "synergistic", "no evidence"]


@dataclass(frozen=True)
class Rung:
    """One step of a ladder: its gain over the baseline, and over the rung before (paired by seed)."""

    variant: str
    gain: Gain
    step: Gain
    gap: GapClosed


@dataclass(frozen=True)
class AloneOrLast:
    """A patch alone against the same patch added last to `full`. change: last minus alone, paired by seed."""

    patch: str
    full: str
    alone: Gain
    last: Gain
    change: Gain


@dataclass(frozen=True)
class Pair:
    """Two patches: effect = both - first - second + neither, paired by seed; p_holm is adjusted over the pairs."""

    first: str
    second: str
    effect: Gain
    interplay: Interplay


@dataclass(frozen=True)
class Share:
    """A patch's Shapley value over all subsets of the factorial, with a t interval over seeds."""

    patch: str
    effect: Gain


@dataclass(frozen=True)
class Attribution:
    """Who gained what when patches are combined. Empty where the study did not run the cells that it takes."""

    ladders: tuple[tuple[Rung, ...], ...] = ()
    alone_or_last: tuple[AloneOrLast, ...] = ()
    pairs: tuple[Pair, ...] = ()
    shapley: tuple[Share, ...] = ()


@dataclass(frozen=True)
class FractionPoint:
    """One point of a data-efficiency curve. gain: over the baseline trained on the same fraction."""

    fraction: float
    variant: str
    score: Estimate
    gain: Gain | None


@dataclass(frozen=True)
class EfficiencyCurve:
    """Score against the share of training data, ascending."""

    name: str
    role: Role
    points: tuple[FractionPoint, ...]
