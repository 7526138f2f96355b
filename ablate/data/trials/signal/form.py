"""One form for the EEG of all trials: takes recordings as they are, gives the same channels at the same rate.

    recorded -> bad and flat ones as the recipe says -> channels by name -> reference, filters -> resampled

Channels are matched by their names, never by their place. A channel that is dropped is dropped from every trial, since
a model has one set of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.layout.table import EegFile, TrialRow, TrialTable
from ablate.data.trials.signal.filter import FilterOptions, filter_problems, filtered, margin
from ablate.errors import AblateError, Problem

Bads = Literal["refuse", "drop", "interpolate", "keep"]
FLAT_UV = 1e-2
"""Standard deviation in microvolts: no amplifier is so quiet, so a channel below it is not connected, and a whole trial
below it is in volts."""
LOUD_UV = 1e4
"""Standard deviation of a trial's median channel: no scalp is so loud, so the unit is another one than stated."""


@dataclass(frozen=True)
class SignalOptions:
    """What the recipe says. channels: to take, in this order; None takes all. resample_hz: None leaves the rate."""

    channels: tuple[str, ...] | None
    bads: Bads
    resample_hz: float | None
    filters: FilterOptions = field(default_factory=FilterOptions)


@dataclass(frozen=True)
class Signal:
    """What all trials have once they are read. seconds, samples: of a trial."""

    options: SignalOptions
    channels: tuple[str, ...]
    rate_hz: float
    seconds: float

    @property
    def samples(self) -> int:
        return round(self.seconds * self.rate_hz)

    def read(self, row: TrialRow) -> NDArray[np.float32]:
        """(channels, samples) microvolts, zeros beyond the end of a shorter trial. Raises AblateError for what is no
        such trial."""
        eeg = as_recorded(row, self.seconds)
        wanted = [name for name in self.channels if name in bad_channels(row, eeg)]
        count, (eeg, before) = eeg.shape[1], self._with_margin(row, eeg)
        if self.options.bads == "interpolate":
            eeg = interpolated(eeg, row, tuple(wanted))
        eeg = eeg[[row.recording.channels.index(name) for name in self.channels]]
        eeg = filtered(eeg, row.recording.rate_hz, self.channels, self.options.filters)
        own = self.samples if row.seconds is None else round(row.seconds * self.rate_hz)
        return np.pad(
            resampled(eeg[:, before : before + count], own).astype(np.float32), [(0, 0), (0, self.samples - own)]
        )

    def _with_margin(self, row: TrialRow, eeg: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
        """The trial with what its filters know of the recording around it, and where it begins therein. What lies
        beyond a sample that is not finite is left out."""
        before, after = margin(row.recording.rate_hz, self.options.filters)
        if row.around is None or before + after == 0:
            return eeg, 0
        longer, first = row.around(before, after)
        broken = np.flatnonzero(~np.isfinite(longer).all(axis=0))
        last = first + eeg.shape[1]
        start = int(max(broken[broken < first], default=-1)) + 1
        stop = int(min(broken[broken >= last], default=longer.shape[1]))
        return np.asarray(longer[:, start:stop], dtype=np.float64), first - start


def as_recorded(row: TrialRow, seconds: float) -> NDArray[np.float64]:
    """A trial's EEG in exactly as many samples as its intervals hold, all channels, at the recording's own rate.

    One sample too many is cut: MNE's windows are closed on both sides, 5 s at 100 Hz give 501. Raises AblateError for
    any other length, and for values that are not finite or in another unit. seconds: of a trial that says nothing else.
    """
    eeg, count = row.eeg(), len(row.recording.channels)
    seconds = seconds if row.seconds is None else row.seconds
    samples = round(seconds * row.recording.rate_hz)
    where = f"trial {row.trial_id}"
    if eeg.ndim != 2 or eeg.shape[0] != count or eeg.shape[1] not in (samples, samples + 1):
        raise AblateError(
            f"EEG of shape {eeg.shape}, expected ({count} channels, {samples} samples)",
            where=where,
            hint=f"rows are channels; {seconds:g} s at {row.recording.rate_hz:g} Hz are {samples} samples",
        )
    values = np.asarray(eeg[:, :samples], dtype=np.float64)
    if not np.isfinite(values).all():
        raise AblateError("the EEG holds NaN or infinity", where=where, hint="drop the trial, or repair it beforehand")
    with np.errstate(over="ignore"):  # 1e300 microvolts square to infinity, and are too loud as such
        spread = float(np.median(values.std(axis=1)))
    if spread < FLAT_UV:
        what = f"the EEG is empty: no channel of {count} moves" if not values.std() else f"{_deviation(spread)}"
        hint = "it looks like volts (as MNE gives them): set `units: V`, or multiply by 1e6"
        raise AblateError(what, where=where, hint="leave the trial out" if not values.std() else hint)
    if spread > LOUD_UV:
        hint = "no scalp is so loud: the unit is not what the file says, or the trial is nothing but an artefact"
        raise AblateError(_deviation(spread), where=where, hint=hint)
    return values


def _deviation(spread: float) -> str:
    return f"the EEG has a standard deviation of {spread:.2g} microvolts"


def flat_channels(row: TrialRow, eeg: NDArray[np.floating]) -> tuple[str, ...]:
    """Names of the channels that do not move in this trial."""
    quiet = eeg.std(axis=1) < FLAT_UV
    return tuple(name for name, flat in zip(row.recording.channels, quiet, strict=True) if flat)


def bad_channels(row: TrialRow, eeg: NDArray[np.floating]) -> tuple[str, ...]:
    """What the file marks as bad, and what is flat."""
    return tuple(dict.fromkeys((*row.recording.bads, *flat_channels(row, eeg))))


def resampled(eeg: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """The same stretch of time in that many samples: a zero-phase low-pass and a ratio of whole numbers (scipy's
    resample_poly), level and slope kept at the ends."""
    if eeg.shape[1] == samples:
        return eeg
    from scipy.signal import resample_poly

    ratio = Fraction(samples, eeg.shape[1])
    return np.asarray(resample_poly(eeg, ratio.numerator, ratio.denominator, axis=1, padtype="line"))


def interpolated(eeg: NDArray[np.float64], row: TrialRow, bads: tuple[str, ...]) -> NDArray[np.float64]:
    """Bad channels from their neighbours by spherical splines (Perrin et al. 1989, MNE's implementation).

    Positions are those of the file, or MNE's table of the 10-05 system by name. Raises AblateError where there are
    none.
    """
    if not bads:
        return eeg
    where, recording = f"trial {row.trial_id}", row.recording
    try:
        import mne
    except ImportError as error:
        hint = "pip install 'ablate[eeg]', or `bads: drop`"
        raise AblateError("interpolating channels needs MNE", where=where, hint=hint) from error
    info = mne.create_info(list(recording.channels), recording.rate_hz, "eeg")
    raw = mne.io.RawArray(eeg * 1e-6, info, verbose="error")
    try:
        raw.set_montage(recording.montage or _ten_five(mne), match_case=False, verbose="error")
        raw.info["bads"] = list(bads)
        raw.interpolate_bads(verbose="error")
    except (ValueError, RuntimeError) as error:
        what = f"{', '.join(bads)} cannot be interpolated: nobody knows where the channels sit"
        hint = "name them as in the 10-05 system, keep positions in the .fif file, or choose `bads: drop`"
        raise AblateError(what, where=where, hint=hint) from error
    return np.asarray(raw.get_data()) * 1e6


def _ten_five(mne: ModuleType) -> str:
    """MNE's name of the 10-05 system: it changed in 1.13."""
    return "colin27_1005" if "colin27_1005" in mne.channels.get_builtin_montages() else "standard_1005"


def signal_of(table: TrialTable, options: SignalOptions) -> tuple[Signal, list[Problem]]:
    """What all trials can be brought to by their headers, and what stands against it."""
    files = {(one.name, one.rate_hz, one.channels, one.bads): one for one in (row.recording for row in table.rows)}
    recordings = list(files.values())
    problems = [*_rate_problems(recordings, options), *_channel_problems(recordings, options)]
    marked = {bad for recording in recordings for bad in recording.bads}
    first = recordings[0] if recordings else EegFile("", options.resample_hz or 1.0, ())
    channels = first.channels if options.channels is None else options.channels
    if options.bads == "refuse":
        problems += _marked_problems(recordings, channels)
    elif options.bads == "drop":
        channels = tuple(name for name in channels if name not in marked)
        if not channels and first.channels:
            problems.append(Problem("every channel is marked as bad somewhere", "data.bads", "choose `interpolate`"))
    rate = options.resample_hz or first.rate_hz
    problems += filter_problems(options.filters, [one.rate_hz for one in recordings], channels)
    each = rate * table.interval_s
    if abs(each - round(each)) > 1e-6:
        what = f"an interval of {table.interval_s:g} s at {rate:g} Hz has {each:g} samples, no whole number"
        problems.append(Problem(what, "data.resample_hz", "choose a rate that gives an interval whole samples"))
    return Signal(options, channels, rate, table.seconds), problems


def without(signal: Signal, flat: Sequence[str]) -> Signal:
    """The signal without channels that were found flat in some trial, where the recipe drops such channels."""
    if signal.options.bads != "drop":
        return signal
    channels = tuple(name for name in signal.channels if name not in flat)
    return Signal(signal.options, channels, signal.rate_hz, signal.seconds)


def _rate_problems(recordings: Sequence[EegFile], options: SignalOptions) -> list[Problem]:
    if options.resample_hz is not None:
        slow = [one for one in recordings if one.rate_hz < options.resample_hz]
        return [
            Problem(
                f"recorded at {one.rate_hz:g} Hz, which resample_hz {options.resample_hz:g} would raise",
                one.name,
                "choose the lowest rate of the files, or a lower one",
            )
            for one in slow
        ]
    first, problems = recordings[0] if recordings else None, []
    for other in recordings:
        if first is not None and other.rate_hz != first.rate_hz:
            what = f"recorded at {other.rate_hz:g} Hz, but {first.name} at {first.rate_hz:g} Hz"
            lowest = min(one.rate_hz for one in recordings)
            problems.append(Problem(what, other.name, f"`data.resample_hz: {lowest:g}` brings them to one rate"))
    return problems


def _channel_problems(recordings: Sequence[EegFile], options: SignalOptions) -> list[Problem]:
    """Files without a channel that the study needs, or with one that another file lacks."""
    if not recordings:
        return []
    wanted, source = options.channels or recordings[0].channels, recordings[0].name
    common = [name for name in recordings[0].channels if all(name in one.channels for one in recordings)]
    problems = []
    for one in recordings:
        missing = [name for name in wanted if name not in one.channels]
        more = [name for name in one.channels if name not in wanted] if options.channels is None else []
        if missing or more:
            parts = [f"lacks {few_words(missing)}"] * bool(missing) + [f"has {few_words(more)} beside them"] * bool(
                more
            )
            named = "data.channels" if options.channels else source
            what = f"its channels are not those of {named}: it {' and '.join(parts)}"
            problems.append(Problem(what, one.name, f"`data.channels` takes what all files have: {few_words(common)}"))
    return problems


def _marked_problems(recordings: Sequence[EegFile], channels: Sequence[str]) -> list[Problem]:
    """Channels that a file marks as bad, where the recipe does not say what becomes of them."""
    problems = []
    for one in recordings:
        marked = [name for name in one.bads if name in channels]
        if marked:
            problems.append(Problem(f"{few_words(marked)} marked as bad", one.name, BADS_HINT))
        unknown = [name for name in one.bads if name not in one.channels]
        if unknown:
            problems.append(
                Problem(
                    f"{few_words(unknown)} marked as bad, but there is no such channel",
                    one.name,
                    f"it has {few_words(one.channels)}",
                )
            )
    return problems


BADS_HINT = "`data.bads: drop` leaves such channels out of all trials, `interpolate` fills them in, `keep` keeps them"


def few_words(names: Sequence[str], most: int = 8) -> str:
    """Names after each other, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more if names else "none"
