"""A session's showings of one stimulus: their counts, and the windows that predict them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from ablate.contract import Showings
from ablate.data.encoding.reading.reader import SessionReader
from ablate.data.encoding.recurring.showings import shown_again
from ablate.data.encoding.split import TEST, SessionSplit
from ablate.data.recording import Recording

Array = np.ndarray


def given_showings(
    session: int, recording: Recording, left_out: Bool[np.ndarray, " u"], history: int
) -> Showings | None:
    """Those of `repeats.npy`: bins with a whole history, or all bins where their stimulus is not known."""
    assert recording.repeats is not None
    known = recording.repeat_stimulus is not None
    bins = np.arange(history - 1 if known else 0, recording.repeats.shape[1])
    if not len(bins) or len(recording.repeats) < 2:
        return None
    return Showings(
        session,
        recording.name,
        "repeats.npy",
        recording.bin_rate_hz,
        counts=np.asarray(recording.repeats[:, bins], np.float64),
        valid=np.tile(~left_out, (len(bins), 1)),
        bins=bins[None] if known else None,
    )


def showings_in_test(split: SessionSplit, history: int) -> Int[np.ndarray, "r t"] | None:
    """Test bins of every phase that answer to the same, a row a showing; None where little comes again."""
    frame = np.arange(len(split.label))
    bins = np.flatnonzero((split.label == TEST) & (frame - split.run_start >= history - 1))
    return shown_again(split.answer[bins], bins)


def found_showings(
    session: int, recording: Recording, bins: Int[np.ndarray, "r t"], counted: Callable[[int, Array], Array]
) -> Showings:
    """Those found in the test split. A bin counts for a unit where it counts in every showing."""
    valid = np.asarray(np.reshape(counted(session, bins.ravel()), (*bins.shape, -1)).all(0))
    counts = np.asarray(recording.spikes[bins.ravel()], np.float64).reshape(*bins.shape, -1)
    return Showings(session, recording.name, "test", recording.bin_rate_hz, counts=counts, valid=valid, bins=bins)


def reader_of_repeats(reader: SessionReader) -> SessionReader:
    """Windows of `repeat_stimulus.npy`; nobody knows what the animal did, so behaviour is its training mean."""
    recording = reader.recording
    assert recording.repeat_stimulus is not None
    frames = len(recording.repeat_stimulus)
    still = None if recording.behavior is None else np.tile(reader.statistics.behavior_mean, (frames, 1))
    shown = replace(
        recording,
        stimulus=recording.repeat_stimulus,
        spikes=np.zeros((frames, recording.units), np.uint8),
        behavior=still,
        behavior_valid=None,
        valid=None,
        trials=None,
        split=None,
        rates=None,
        floor_rates=None,
    )
    return SessionReader(
        reader.session,
        shown,
        reader.statistics,
        reader.config,
        left_out=reader.left_out,
        split=None,
        device=reader.device,
    )
