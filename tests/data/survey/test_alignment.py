"""A slip of one frame is pointed out, with its place; an honest recording gives no alarm."""

from pathlib import Path

import numpy as np
import pytest
from data_samples import noise_recording

from ablate.data.recording import read_recording
from ablate.data.survey.alignment import BLOCKS, alignment_of
from ablate.data.survey.pixels import lags_of, peak_of, places, triggered_averages
from ablate.result.measure.survey import Alignment

FRAMES, UNITS, RATE = 12_000, 6, 60.0
KERNEL = np.array([0.0, 0.1, 0.8, 0.5, -0.3, -0.2])
SHARED = Path(__file__).parents[4] / "shared/data"


def film(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (FRAMES, 6, 7), dtype=np.uint8)


def responses(shown: np.ndarray, seed: int, *, complex_cells: bool = False, drift: float = 0.0) -> np.ndarray:
    """Spikes of units that see one pixel each through KERNEL."""
    random = np.random.default_rng(1000 + seed)
    pixels = (shown.reshape(len(shown), -1).astype(float) - 128) / 74
    pixels = 2 * np.abs(pixels) - 1.7 if complex_cells else pixels
    drives = np.stack([np.convolve(pixels[:, 5 * unit], KERNEL)[: len(shown)] for unit in range(UNITS)], axis=1)
    gain = 1 + drift * np.linspace(-1, 1, len(shown))[:, None]
    return random.poisson(gain * 0.15 * np.exp(0.7 * drives)).astype(np.float32)


def slipped(shown: np.ndarray, at: int, frames: int = 1) -> np.ndarray:
    """One frame is in the file twice (frames > 0) or missing (frames < 0): what follows lies later or earlier."""
    if frames > 0:
        return np.concatenate([shown[:at], shown[at - frames : -frames]])
    return np.concatenate([shown[:at], shown[at - frames :], shown[frames:]])


def found(stimulus: np.ndarray, spikes: np.ndarray) -> Alignment:
    alignment = alignment_of(places(stimulus), spikes, np.ones(spikes.shape, bool), lags_of(RATE))
    assert alignment is not None
    return alignment


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("frames", [-2, -1, 1, 2])
def test_a_slip_is_found_at_its_place(seed: int, share: float, frames: int) -> None:
    shown, at = film(seed), round(share * FRAMES)
    alignment = found(slipped(shown, at, frames), responses(shown, seed))
    assert alignment.slip == pytest.approx(at, abs=60)
    assert alignment.slip_shift == (frames if alignment.before else -frames)
    whole = [shift for block, shift in enumerate(alignment.shifts) if not block < share * BLOCKS < block + 1]
    assert set(whole) == {0, alignment.slip_shift}, "the block of the slip itself may say either"


@pytest.mark.parametrize("seed", range(12))
def test_an_honest_recording_gives_no_alarm(seed: int) -> None:
    shown = film(seed)
    for options in ({}, {"drift": 0.8}, {"complex_cells": True}):
        alignment = found(shown, responses(shown, seed, **options))
        assert alignment.slip is None, options
        assert set(alignment.shifts) == {0}, options


def test_a_slip_is_found_by_cells_that_do_not_tell_bright_from_dark() -> None:
    shown = film(0)
    alignment = found(slipped(shown, 8400), responses(shown, 0, complex_cells=True))
    assert alignment.slip == pytest.approx(8400, abs=100)


def test_units_that_see_nothing_say_nothing() -> None:
    spikes = np.random.default_rng(0).poisson(0.2, (FRAMES, UNITS)).astype(np.float32)
    assert alignment_of(places(film(0)), spikes, np.ones(spikes.shape, bool), lags_of(RATE)) is None


def test_the_average_peaks_at_the_filters_lag_with_its_sign() -> None:
    shown = film(0)
    spikes = responses(shown, 0)
    spikes[:, 1] = responses(255 - shown, 0)[:, 1]
    averages = triggered_averages(places(shown), spikes, lags_of(RATE))
    peaks = [peak_of(average) for average in averages]
    assert all(peak.lag == 2 and peak.clear for peak in peaks)
    assert [peak.sign for peak in peaks] == [1, -1, 1, 1, 1, 1]


def test_the_average_is_that_of_the_formula() -> None:
    """For one place and lag, against a correlation coefficient."""
    shown = film(0)
    spikes, flat = responses(shown, 0), places(shown)
    average = triggered_averages(flat, spikes, 6)
    meant = np.corrcoef(flat[3 : FRAMES - 2, 10], spikes[5:, 2])[0, 1] * np.sqrt(FRAMES - 5)
    assert average[2, 2, 10] == pytest.approx(meant, rel=1e-3, abs=0.02)


def test_places_are_means_over_equal_parts_of_the_frame() -> None:
    stimulus = noise_recording(stimulus=np.random.default_rng(0).random((50, 16, 24), dtype=np.float32)).stimulus
    meant = stimulus.reshape(50, 8, 2, 8, 3).mean((2, 4)).reshape(50, 64)
    meant = (meant - meant.mean(0)) / meant.std(0)
    np.testing.assert_allclose(places(stimulus), meant, atol=1e-4)


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="the recordings are not here")
@pytest.mark.parametrize("name", ["lgn_flicker", "v1_bars", "retina_flicker"])
def test_real_recordings_hold_their_place_and_a_planted_slip_is_found(name: str) -> None:
    recording = read_recording(SHARED / name, check_values=False)
    spikes = np.asarray(recording.spikes, np.float32)
    counted, lags = np.ones(spikes.shape, bool), lags_of(recording.bin_rate_hz)
    honest = alignment_of(places(recording.stimulus), spikes, counted, lags)
    assert honest is not None
    assert (honest.slip, set(honest.shifts)) == (None, {0})
    at = round(0.7 * recording.frames)
    planted = alignment_of(places(slipped(recording.stimulus, at)), spikes, counted, lags)
    assert planted is not None
    assert planted.slip == pytest.approx(at, rel=0.01)
