"""One row of the ranked table: a variant's score, gain, verdict and cost, per session, per unit and over training."""

from dataclasses import dataclass
from typing import Literal

from ablate.analysis.outcome.interval import Estimate, Gain, GapClosed, Interval
from ablate.analysis.outcome.retuned import Retuned
from ablate.analysis.outcome.verdict import Confirmed, Verdict
from ablate.result.manifest import Role

MeasureVerdict = Literal["more", "less", "the same", "no evidence"]
Outcome = Literal["met", "below", "above", "undecided"]


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

    def ratios(self) -> dict[str, float | None]:
        """What is held against the baseline's, by name."""
        return {
            "parameters": self.parameters_ratio,
            "flops": self.flops_ratio,
            "seconds": self.seconds_ratio,
            "memory": self.memory_ratio,
        }


@dataclass(frozen=True)
class Prediction:
    """An expectation and how it fared. name: `gain`, or the cost that was predicted (`parameters`, `flops`, ...)."""

    name: str
    expected: tuple[float, float]
    observed: float | None
    interval: Interval | None
    outcome: Outcome


@dataclass(frozen=True)
class Measured:
    """What the runs of a variant measured beside their score. difference: to the baseline, paired by seed, 95 %;
    None without two of them. verdict: of a patch."""

    measure: str
    variant: str
    mean: Estimate
    difference: Interval | None
    verdict: MeasureVerdict | None


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
class SubjectClasses:
    """One subject of a labelling task: means over the seeds of its score, accuracies and macro F1."""

    name: str
    trials: int
    score: float
    accuracy: float | None
    balanced_accuracy: float | None
    macro_f1: float | None


@dataclass(frozen=True)
class Classes:
    """What a variant makes of the classes of a labelling task.

    confusion: counts of the test split over all seeds, the label is the row. macro_f1, calibration_error: means over
    the seeds. chance: accuracy of always guessing the most frequent class. subjects: those that are tested.
    """

    names: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    macro_f1: float | None
    calibration_error: float | None
    chance: float
    subjects: tuple[SubjectClasses, ...]


@dataclass(frozen=True)
class SubjectNumbers:
    """One subject whose numbers are predicted: means over the seeds of its score and of how the two agree."""

    name: str
    trials: int
    score: float
    correlation: float | None
    concordance: float | None


@dataclass(frozen=True)
class TargetFit:
    """One of the numbers: means over the seeds. bits: gain over the training split's distribution, a label. error:
    root mean square, in the number's own unit."""

    name: str
    labels: int
    bits: float
    correlation: float | None
    concordance: float | None
    error: float | None


@dataclass(frozen=True)
class NumberPoints:
    """Numbers as rated and as one run of a variant predicted them (mean and sd), in the target's own unit. of: how many
    the test split holds, of which these are an even share."""

    variant: str
    target: str
    seed: int
    of: int
    value: tuple[float, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]


@dataclass(frozen=True)
class Numbers:
    """What a variant makes of numbers. correlation, concordance: means over targets and seeds."""

    correlation: float | None
    concordance: float | None
    targets: tuple[TargetFit, ...]
    subjects: tuple[SubjectNumbers, ...]


@dataclass(frozen=True)
class UnitGain:
    """One unit (for fusion: trial) averaged over the paired seeds."""

    session: str
    unit: int
    baseline: float
    score: float
    gain: float
    """Positive is better, whatever the metric."""


@dataclass(frozen=True)
class LearningCurve:
    """Validation score over training steps of one run."""

    variant: str
    seed: int
    steps: tuple[int, ...]
    values: tuple[float, ...]


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
    confirmed: Confirmed | None = None
    """What fresh seeds say of it, where they were asked."""
    retuned: Retuned | None = None
    """What the recipe's search left of its gain, where it was made."""
    early: bool = False
    """Stopped while climbing: the verdict ranks speed of learning."""
    weighted: float | None = None
    pooled: float | None = None
    validation: float | None = None
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    classes: Classes | None = None
    """Of a labelling task."""
    numbers: Numbers | None = None
    """Where numbers are learned."""
    ceiling_share: float | None = None
    """Score over what the true rates score, where truth is known."""
    excluded: int = 0
    """Units left out of the score for having too few spikes."""
    sessions: tuple[SessionGain, ...] = ()
    units: tuple[UnitGain, ...] = ()
    times: tuple[float, ...] = ()
    """Score in each block of the test's time, averaged over sessions and seeds; their mean is the score."""
    curves: tuple[LearningCurve, ...] = ()
    differences: tuple[tuple[str, str, str], ...] = ()
    """Key path, baseline's value, this variant's value."""
    lints: tuple[str, ...] = ()
    keys: tuple[tuple[int, str], ...] = ()
    """Seed -> run key, to find weights and pictures."""
    given_spikes: int = 0
    """Bins of past spikes that its scores are conditional on, where the baseline's are not on as many."""

    @property
    def finite(self) -> str:
        """`2/3`: finite seeds of the planned ones."""
        return f"{self.seeds_done}/{self.seeds_planned}"

    @property
    def prediction(self) -> Prediction | None:
        """The expectation on the gain, if there was one."""
        return next((prediction for prediction in self.predictions if prediction.name == "gain"), None)
