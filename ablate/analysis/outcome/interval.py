"""A figure and how sure it is: interval, estimate, paired gain, share of the gap that it closes.

Differences are the variant minus the baseline, paired by seed, in the metric's unit (bits/spike, bits/label).
`relative` figures are ratios to the baseline's mean over the same seeds, which is as random as the gain (Fieller); a
relative interval is clear of zero exactly when the absolute one is.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, unless it says otherwise."""

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
class Look:
    """Which look of a study that is run until settled a gain is of. number: 0, 1, ...; seeds: at each look."""

    number: int
    seeds: tuple[int, ...]

    @property
    def here(self) -> int:
        """Seeds at this look."""
        return self.seeds[self.number]


@dataclass(frozen=True)
class Gain:
    """Variant minus baseline over the seeds that both finished.

    relative: over the baseline's mean; None when the baseline is no denominator. baseline: its scores at the same
    seeds. spread: standard deviation of by_seed. error, degrees: standard error and degrees of freedom that interval, p
    and verdict are made of (moderated unless the recipe says `own`). p: two-sided paired t test. p_holm: adjusted over
    the family of patches. judged, judged_relative: the interval at the level that Holm asks of this row, clear of zero
    exactly when p_holm <= 0.05. p_negligible: two one-sided tests against +-worth, Holm-adjusted over the family.
    p_max_t: sign-flip max-T over the same family, from 8 seeds on. correlation: of variant and baseline over seeds,
    what pairing achieved; variance_ratio: variance of the unpaired difference over that of the paired one (above 1:
    pairing saved seeds). seeds_needed: seeds at which a gain of this size and spread would be found with 80 % power
    (None: more than 100). detectable: smallest gain that these seeds find with 80 % power. over_units: hierarchical
    bootstrap over units nested in sessions: other neurons. over_time: bootstrap over blocks of the test's time: other
    minutes. Neither says anything of other trainings. look: in a study that is run until settled, the look that the
    gain is of; p, p_negligible and the intervals then count all looks (repeated confidence intervals), and p_negligible
    holds for this row alone.
    """

    seeds: tuple[int, ...]
    by_seed: tuple[float, ...]
    mean: float
    baseline: tuple[float, ...] = ()
    interval: Interval | None = None
    relative: float | None = None
    relative_interval: Interval | None = None
    spread: float | None = None
    error: float | None = None
    degrees: float | None = None
    p: float | None = None
    p_holm: float | None = None
    judged: Interval | None = None
    judged_relative: Interval | None = None
    p_negligible: float | None = None
    p_max_t: float | None = None
    correlation: float | None = None
    variance_ratio: float | None = None
    seeds_needed: int | None = None
    detectable: float | None = None
    over_units: Interval | None = None
    over_units_relative: Interval | None = None
    over_time: Interval | None = None
    over_time_relative: Interval | None = None
    look: Look | None = None
    out_of_reach: bool = False
    """Of a study that is run until settled: the last look would hardly settle this row."""

    def scaled(self, ratio: float, interval: Interval) -> "Gain":
        """With its figures relative to the baseline."""
        return replace(self, relative=ratio, relative_interval=interval)


@dataclass(frozen=True)
class GainChange:
    """A gain on other seeds, or in another study, minus the first. relative: both are shares of their own baseline.
    interval, p: None where one of the two has a single seed.
    """

    mean: float
    interval: Interval | None
    relative: bool
    p: float | None = None

    @property
    def clear(self) -> bool:
        """Whether the two gains differ by more than noise, taken alone."""
        return self.interval is not None and self.interval.clear_of(0.0)


@dataclass(frozen=True)
class GapClosed:
    """Gain over the gap to the target reference, as a share (1.0 = all of it).

    share is None, and `blank` says why, when the gap itself is not clear of zero. interval: Fieller.
    """

    share: float | None = None
    interval: Interval | None = None
    blank: str = ""
