"""What a study amounts to, as plain frozen data: every table, figure and page is made from these and nothing else.

Differences are the variant minus the baseline, paired by seed, in the metric's unit (bits/spike, bits/label).
`relative` figures are divided by the baseline's mean over the same seeds, taken as fixed, so a relative interval is
clear of zero exactly when the absolute one is. Nothing here is ever NaN: what cannot be known is None.
"""

from dataclasses import dataclass
from typing import Literal

from ablate.result.manifest import Role

Verdict = Literal["baseline", "reference", "helps", "hurts", "no evidence", "invalid"]
Outcome = Literal["met", "below", "above", "undecided"]
Interplay = Literal["redundant", "synergistic", "no evidence"]
NoteKind = Literal["rehearsal", "warning", "excluded", "truth", "family", "expectation", "info"]


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float

    def clear_of(self, value: float) -> bool:
        return self.low > value or self.high < value


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its t interval; the interval is None for a single seed."""

    mean: float
    interval: Interval | None = None
    spread: float | None = None
    """Standard deviation over seeds."""
    seeds: int = 1


@dataclass(frozen=True)
class Gain:
    """Variant minus baseline over the seeds that both finished.

    relative: over the baseline's mean; None when the baseline is at chance. spread: standard deviation of by_seed.
    p: two-sided paired t test. p_holm: adjusted over the family of patches. p_max_t: sign-flip max-T over the same
    family, from 8 seeds on. correlation: of variant and baseline over seeds, what pairing achieved; variance_ratio:
    variance of the unpaired difference over that of the paired one (above 1: pairing saved seeds). seeds_needed: seeds
    at which a gain of this size and spread would be found with 80 % power (None: more than 100). detectable: smallest
    gain that these seeds find with 80 % power. over_units: hierarchical bootstrap over units nested in sessions;
    answers "other neurons", not "other trainings".
    """

    seeds: tuple[int, ...]
    by_seed: tuple[float, ...]
    mean: float
    interval: Interval | None = None
    relative: float | None = None
    relative_interval: Interval | None = None
    spread: float | None = None
    p: float | None = None
    p_holm: float | None = None
    p_max_t: float | None = None
    correlation: float | None = None
    variance_ratio: float | None = None
    seeds_needed: int | None = None
    detectable: float | None = None
    over_units: Interval | None = None
    over_units_relative: Interval | None = None


@dataclass(frozen=True)
class GapClosed:
    """Gain over the gap to the target reference, as a share (1.0 = all of it).

    share is None, and `blank` says why, when the gap itself is not clear of zero. interval: Fieller.
    """

    share: float | None = None
    interval: Interval | None = None
    blank: str = ""


@dataclass(frozen=True)
class CostSummary:
    """What a variant costs; ratios are to the baseline. seconds: mean of finished runs. peak_memory_bytes: largest."""

    total_parameters: int | None = None
    trainable_parameters: int | None = None
    parameters_ratio: float | None = None
    flops: int | None = None
    flops_ratio: float | None = None
    seconds: float | None = None
    seconds_ratio: float | None = None
    step_milliseconds: float | None = None
    peak_memory_bytes: int | None = None
    memory_ratio: float | None = None
    parts: tuple[tuple[str, int], ...] = ()
    """Parameters a part, in the order of the flow."""
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    tokens_time: int | None = None
    tokens_space: tuple[int, int] | None = None
    pixels_never_seen: float | None = None


@dataclass(frozen=True)
class Prediction:
    """An expectation and how it fared. name: `gain`, or the cost that was predicted (`parameters`, `flops`, ...)."""

    name: str
    expected: tuple[float, float]
    observed: float | None
    interval: Interval | None
    outcome: Outcome


@dataclass(frozen=True)
class SessionGain:
    """One session: means over seeds, gain with a t interval over seeds. better: share of its units that gained."""

    name: str
    entries: int
    excluded: int
    baseline: float
    score: float
    gain: float
    interval: Interval | None = None
    attainable: float | None = None
    better: float | None = None


@dataclass(frozen=True)
class UnitGain:
    """One unit (for fusion: trial) averaged over the paired seeds."""

    session: str
    unit: int
    baseline: float
    score: float


@dataclass(frozen=True)
class LearningCurve:
    """Validation score over training steps of one run."""

    variant: str
    seed: int
    steps: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Failure:
    """A planned run that did not give a score."""

    variant: str
    seed: int
    state: str
    reason: str


@dataclass(frozen=True)
class VariantAnalysis:
    """One row of the ranked table.

    rank: 1, 2, ... over patches that have an interval; None for all other rows. verdict_note: what stands behind the
    word: `2/3 finite`, `would need 9 seeds`, `1 seed: no interval`. seeds_done: finite, scored runs. seeds_planned: of
    the study. seeds_barred: diverged or failed. score: mean over all its finished seeds. by_seed: seed -> score.
    """

    name: str
    role: Role
    title: str
    changes: str
    also_changed: tuple[str, ...]
    patches: tuple[str, ...]
    aliases: tuple[str, ...]
    strategies: tuple[str, ...]
    verdict: Verdict
    verdict_note: str
    rank: int | None
    score: Estimate | None
    by_seed: tuple[tuple[int, float], ...]
    gain: Gain | None
    gap: GapClosed
    predictions: tuple[Prediction, ...]
    cost: CostSummary
    seeds_planned: int
    seeds_done: int
    seeds_barred: int
    weighted: float | None = None
    pooled: float | None = None
    validation: float | None = None
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    ceiling_share: float | None = None
    """Score over what the true rates score, where truth is known."""
    excluded: int = 0
    """Units left out of the score for having too few spikes."""
    sessions: tuple[SessionGain, ...] = ()
    units: tuple[UnitGain, ...] = ()
    curves: tuple[LearningCurve, ...] = ()
    differences: tuple[tuple[str, str, str], ...] = ()
    """Key path, baseline's value, this variant's value."""
    warnings: tuple[str, ...] = ()
    lints: tuple[str, ...] = ()
    keys: tuple[tuple[int, str], ...] = ()
    """Seed -> run key, to find weights and pictures."""

    @property
    def finite(self) -> str:
        """`2/3`: finite seeds of the planned ones."""
        return f"{self.seeds_done}/{self.seeds_planned}"

    @property
    def prediction(self) -> Prediction | None:
        """The expectation on the gain, if there was one."""
        return next((prediction for prediction in self.predictions if prediction.name == "gain"), None)


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


@dataclass(frozen=True)
class Note:
    """A line beneath the table."""

    kind: NoteKind
    text: str


@dataclass(frozen=True)
class StudyAnalysis:
    """A whole study, ready to be shown.

    rows: patches by rank (invalid ones last), controls, references, the baseline. winner: name of the row that may be
    called best; None when nothing may be. headline: question and answer; answer: the answer alone. target: the
    reference that the gap is measured to (the best one). family: the variants over which p values are adjusted.
    """

    name: str
    question: str
    expectation: str
    metric: str
    unit: str
    """How the metric is printed: `bits/spike`, `bits/label`."""
    rehearsal: bool
    data_description: str
    seeds: tuple[int, ...]
    rows: tuple[VariantAnalysis, ...]
    baseline_name: str
    target: str | None
    winner: str | None
    headline: str
    answer: str
    next_steps: tuple[str, ...]
    notes: tuple[Note, ...]
    failures: tuple[Failure, ...]
    family: tuple[str, ...]
    attainable: float | None
    attainable_accuracy: float | None
    baseline_at_chance: bool
    detectable: float | None
    """Smallest detectable gain with the planned seeds, 80 % power, in the metric's unit."""
    detectable_relative: float | None
    detectable_basis: str
    """What it was worked out from, in words."""
    runs_planned: int
    runs_done: int
    runs_failed: int
    attribution: Attribution
    efficiency: tuple[EfficiencyCurve, ...]
    expectations_hash: str
    expectation_changes: tuple[str, ...]
    recipe_path: str
    recipe_text: str
    data_fingerprint: str
    scored_hash: str
    environment: tuple[tuple[str, str], ...]

    def row(self, name: str) -> VariantAnalysis:
        """The row of that name (aliases count); KeyError if there is none."""
        for row in self.rows:
            if row.name == name or name in row.aliases:
                return row
        raise KeyError(name)

    @property
    def baseline(self) -> VariantAnalysis:
        return self.row(self.baseline_name)

    @property
    def references(self) -> tuple[VariantAnalysis, ...]:
        return tuple(row for row in self.rows if row.role == "reference")
