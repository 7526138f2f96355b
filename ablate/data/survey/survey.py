"""Opened data in, what a scientist checks of them first out."""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

from ablate.contract import Split
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.split import TEST, TRAIN, UNUSED, VALIDATION, SessionSplit
from ablate.data.recording import Recording
from ablate.data.survey.alignment import BLOCKS, alignment_of
from ablate.data.survey.pixels import lags_of, peak_of, places, triggered_averages
from ablate.result.measure.survey import Alignment, SessionSurvey, Survey, UnitSurvey

Array = np.ndarray

SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "unused": UNUSED}
LETTERS = {TRAIN: "T", VALIDATION: "v", TEST: "t", UNUSED: "."}
BAR = 72  # stretches of time, a letter each
LEAST_SILENCE = 1.0  # seconds
BURSTY = 5.0  # times as long as the longest gap that chance leaves between spikes at the mean rate
DRIFT = 2.0  # of the summed rate between blocks: what is told

Told = Callable[[str], None]


def survey(data: EncodingDataset, tell: Told = lambda _: None) -> Survey:
    """Everything of every session. tell: hears what is being worked on."""
    splits: tuple[Split, ...] = ("validation", "test")
    found = []
    for index, recording in enumerate(data.recordings):
        tell(f"{recording.name}: filters, and a quick GLM over {recording.frames} bins")
        found.append(_session(data, index))
    return Survey(
        summary=data.config.summary(),
        fingerprint=data.fingerprint,
        scored_hash={split: data.scored_hash(split) for split in splits},
        notices=data.notices,
        sessions=tuple(found),
    )


def _session(data: EncodingDataset, index: int) -> SessionSurvey:
    recording, split = data.recordings[index], data.splits[index]
    columns = recording.behavior_names or tuple(f"behavior_{column}" for column in range(recording.behaviors))
    frames, height, width = recording.stimulus.shape
    spikes = np.asarray(recording.spikes, np.float32)
    valid = np.ones(spikes.shape, bool) if recording.valid is None else np.asarray(recording.valid)
    lags, shown = lags_of(recording.bin_rate_hz), places(recording.stimulus)
    alignment = alignment_of(shown, spikes, valid, lags)
    silent = silent_stretches(spikes, recording.bin_rate_hz)
    rates = _block_rates(spikes, valid, recording.bin_rate_hz)
    return SessionSurvey(
        name=recording.name,
        bin_rate_hz=recording.bin_rate_hz,
        shape=(frames, height, width),
        dtype=str(recording.stimulus.dtype),
        units=_units(data, index, spikes, valid, rates, triggered_averages(shown, spikes, lags)),
        frames={name: int(np.count_nonzero(split.label == label)) for name, label in SPLITS.items()},
        bar=split_bar(split),
        scored={"validation": len(data.bins("validation")[index]), "test": len(data.bins("test")[index])},
        training_windows=data.training_windows[index],
        repeated=split.repeated,
        in_train=split.in_train,
        dropped=split.dropped,
        silent=silent,
        rates_hz=tuple(rates.mean(1).tolist()),
        behaviors=columns,
        notes={key: str(value) for key, value in recording.notes.items()},
        alignment=alignment,
        warnings=tuple(_warnings(recording, alignment, silent, rates.mean(1))),
    )


def _units(
    data: EncodingDataset, index: int, spikes: Array, valid: Array, rates: Array, averages: Array
) -> tuple[UnitSurvey, ...]:
    recording, bins = data.recordings[index], data.bins("test")[index]
    counted = np.where(valid, spikes, 0.0).astype(np.float64)
    rate = counted.sum(0) / np.maximum(valid.sum(0), 1) * recording.bin_rate_hz
    test = counted[bins].sum(0)
    gains = data.attainable("test")
    bits = None if gains is None else gains[index] / np.log(2) / np.maximum(test, 1)
    least, found = max(1, data.config.min_spikes), []
    for unit in range(recording.units):
        peak = peak_of(averages[unit])
        why = f"fewer than {least} spikes in train" if data.left_out[index][unit] else ""
        why = data.reasons[index][unit] or why
        why = why or (f"{int(test[unit])} spikes in test, fewer than {least}" if test[unit] < least else "")
        found.append(
            UnitSurvey(
                unit=unit,
                rate_hz=float(rate[unit]),
                rates_hz=tuple(rates[:, unit].tolist()),
                spikes=int(counted[:, unit].sum()),
                test_spikes=int(test[unit]),
                excluded=why,
                valid=float(valid[:, unit].mean()),
                attainable=None if bits is None else float(bits[unit]),
                lag=peak.lag if peak.clear else None,
                sign=peak.sign if peak.clear else 0,
                kernel=tuple(averages[unit][:, peak.place].tolist()) if averages.shape[2] else (),
            )
        )
    return tuple(found)


def _block_rates(spikes: Array, valid: Array, bin_rate_hz: float) -> Float[Array, "blocks u"]:
    """Spikes a second in equal blocks of time."""
    edges = np.linspace(0, len(spikes), BLOCKS + 1).astype(int)[:-1]
    if len(spikes) < BLOCKS:
        return np.asarray(np.where(valid, spikes, 0.0).mean(0, keepdims=True) * bin_rate_hz)
    bins = np.maximum(np.add.reduceat(valid.astype(np.float64), edges, axis=0), 1)
    return np.asarray(np.add.reduceat(np.where(valid, spikes, 0.0), edges, axis=0) / bins * bin_rate_hz)


def split_bar(split: SessionSplit) -> str:
    """The label of most frames of each stretch, in time: T train, v validation, t test, . unused."""
    edges = np.linspace(0, len(split.label), min(BAR, len(split.label)) + 1).astype(int)
    shares = np.stack([np.add.reduceat((split.label == label).astype(int), edges[:-1]) for label in LETTERS])
    letters = list(LETTERS.values())
    return "".join(letters[index] for index in np.argmax(shares, axis=0))


def silent_stretches(spikes: Float[Array, "t u"], bin_rate_hz: float) -> tuple[tuple[int, int], ...]:
    """(first frame, frames) of gaps without any spike, much longer than chance leaves: spikes at the mean rate r leave
    one of n gaps longer than ( ln n + 7 ) / r once in 1,000 recordings."""
    total = spikes.sum(1)
    fired = np.flatnonzero(total)
    if not len(fired):
        return ((0, len(total)),)
    longest = BURSTY * (np.log(len(fired)) + 7) / total.mean()
    least = max(longest, LEAST_SILENCE * bin_rate_hz)
    starts, ends = np.concatenate([[0], fired + 1]), np.concatenate([fired, [len(total)]])
    gaps = [(int(begin), int(end - begin)) for begin, end in zip(starts, ends, strict=True) if end - begin > least]
    return tuple(gaps)


def _warnings(
    recording: Recording, alignment: Alignment | None, silent: tuple[tuple[int, int], ...], rates: Array
) -> Iterator[str]:
    """Sentences, the gravest first."""
    rate = recording.bin_rate_hz
    if alignment is not None and alignment.slip is not None:
        yield slip_sentence(alignment, recording.frames)
    if alignment is None:
        yield "no unit's filter stands clear of noise, so nothing is known of the stimulus' place in time"
    for begin, frames in silent[:3]:
        yield f"no unit fires in frames {begin} to {begin + frames - 1} ({frames / rate:.1f} s)"
    lowest, highest = float(rates.min()), float(rates.max())
    if highest > DRIFT * lowest:
        yield f"the mean rate drifts between {lowest:.2g} and {highest:.2g} Hz over the recording"


def slip_sentence(alignment: Alignment, frames: int) -> str:
    """Where the stimulus slips, by how much, and how sure that is. A shift that fits what comes after tells the change
    itself; one that fits what comes before tells its opposite."""
    assert alignment.slip is not None
    change = alignment.slip_shift if alignment.before else -alignment.slip_shift
    count = f"{abs(change)} frame{'s' * (abs(change) > 1)}"
    way = "later" if change > 0 else "earlier"
    cause = "too many in the stimulus, or missing in the spikes" if change > 0 else "missing, or a bin too many"
    cause = f"{count} {cause}" if change > 0 else f"{count} of the stimulus {cause} in the spikes"
    share = f"{100 * alignment.slip / frames:.0f} %"
    return (
        f"the stimulus slips: from about frame {alignment.slip} ({share}) on it lies {count} {way} beside the spikes "
        f"than before ({alignment.nats:.0f} nats): {cause}?"
    )
