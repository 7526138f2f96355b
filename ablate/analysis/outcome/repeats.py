"""What repeats of one stimulus say: of the responses, and of every variant's rates for them."""

from dataclasses import dataclass

from ablate.analysis.outcome.interval import Interval


@dataclass(frozen=True)
class Repeated:
    """A figure with its interval over the stimulus' time."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True)
class RepeatedSession:
    """One session. units: those with responses; clear: those whose explainable variance is clear of zero, which the
    means are over. explainable: share of variance; ceiling: bits/spike of the average over the other showings."""

    name: str
    source: str
    bin_rate_hz: float
    showings: int
    bins: int
    units: int
    clear: int
    explainable: Repeated | None
    ceiling: Repeated | None


@dataclass(frozen=True)
class RepeatedVariant:
    """One variant: means over seeds and sessions. bits: its bits/spike on the bins of the ceiling; of_ceiling: their
    ratio."""

    variant: str
    bits: Repeated | None
    of_ceiling: float | None
    fev: Repeated | None
    cc_norm: Repeated | None
    cc_average: Repeated | None
    cc_single: Repeated | None


@dataclass(frozen=True)
class RepeatedPicture:
    """A stretch of one unit: spikes of each showing by bin, their average, and every variant's rate, spikes a bin."""

    session: str
    unit: int
    bin_rate_hz: float
    explainable: float
    raster: tuple[tuple[int, ...], ...]
    average: tuple[float, ...]
    predicted: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True)
class Repeats:
    """Of a study whose data repeat a stimulus. pictures: of the first session."""

    sessions: tuple[RepeatedSession, ...]
    variants: tuple[RepeatedVariant, ...]
    pictures: tuple[RepeatedPicture, ...]
