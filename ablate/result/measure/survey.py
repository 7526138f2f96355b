"""What a scientist checks of a recording first, as plain data: measured by `ablate.data.survey`, shown on a screen and
drawn. Rates are spikes a second; lags count frames back from the bin."""

from dataclasses import dataclass

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class UnitSurvey:
    """One unit.

    rate_hz: over all valid bins; rates_hz: in equal blocks of time. spikes: in all; test_spikes: in the scored bins of
    test. excluded: why it is in no score, empty where it is. valid: share of bins in which it counts. attainable:
    bits/spike of the true rates on test, if known. lag, sign: of the peak of its spike-triggered average, +1 for
    brighter; None where no peak stands clear of noise. kernel: that average over lags at the peak's pixel, newest frame
    first, in standard errors.
    """

    unit: int
    rate_hz: float
    rates_hz: Numbers
    spikes: int
    test_spikes: int
    excluded: str
    valid: float
    attainable: float | None
    lag: int | None
    sign: int
    kernel: Numbers


@dataclass(frozen=True)
class Alignment:
    """A quick GLM, fitted on one half of the recording, over all of it.

    scores: bits/spike in equal blocks of time, its rates scaled to each block's mean; shifts: frames by which the
    stimulus would have to come later to fit a block best; best: the score at that shift. slip: the first frame from
    which (or, `before`, up to which) another shift fits, beyond chance; None where the stimulus holds its place.
    """

    scores: Numbers
    shifts: tuple[int, ...]
    best: Numbers
    units: int
    slip: int | None = None
    slip_shift: int = 0
    before: bool = False
    nats: float = 0.0
    """Log-likelihood that the other shift gains over those frames."""


@dataclass(frozen=True)
class SessionSurvey:
    """One recording.

    frames: of each split (guards and gaps are `unused`); bar: the split of equal stretches of time, a letter each (T
    train, v validation, t test). scored: scored bins. repeated: frames shown before; in_train: test frames whose
    content is in train too; dropped: bins not used, since their content was met in another split. silent: (first frame,
    frames) of stretches without a spike of any unit that chance does not explain. rates_hz: mean over units in equal
    blocks of time. warnings: what should be looked into.
    """

    name: str
    bin_rate_hz: float
    shape: tuple[int, int, int]
    dtype: str
    units: tuple[UnitSurvey, ...]
    frames: dict[str, int]
    bar: str
    scored: dict[str, int]
    training_windows: int
    repeated: int
    in_train: int
    dropped: int
    silent: tuple[tuple[int, int], ...]
    rates_hz: Numbers
    behaviors: tuple[str, ...]
    notes: dict[str, str]
    alignment: Alignment | None
    warnings: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return self.shape[0] / self.bin_rate_hz


@dataclass(frozen=True)
class Survey:
    """All sessions, the hashes that a study stores, and what is told of all of them together."""

    summary: str
    fingerprint: str
    scored_hash: dict[str, str]
    notices: tuple[str, ...]
    sessions: tuple[SessionSurvey, ...]
