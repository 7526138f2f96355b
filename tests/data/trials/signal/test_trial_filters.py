"""Band, notch, reference and scale of recorded EEG, against MNE, scipy's responses, and sines that must stay or go."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trial_folders import CPU, native, opened, problems, trials_of

from ablate.data import TrialsConfig
from ablate.data.trials.signal.filter import FilterOptions, filtered

RATE, SECONDS = 200.0, 20
TIME = np.arange(int(RATE * SECONDS)) / RATE
NAMES = ("Fz", "Cz", "Pz")


def sines(*hertz: float) -> np.ndarray:
    """(channels, samples): the sum of these, the same in each channel."""
    return np.tile(sum(np.sin(2 * np.pi * one * TIME) for one in hertz), (len(NAMES), 1))


def run(eeg: np.ndarray, **options: Any) -> np.ndarray:
    return filtered(eeg, RATE, NAMES, FilterOptions(**options))


def middle(eeg: np.ndarray) -> np.ndarray:
    """Away from the ends."""
    return eeg[:, 1000:-1000]


@pytest.mark.parametrize("phase", ["zero", "causal"])
def test_what_lies_in_the_band_stays_and_the_rest_goes(phase: str) -> None:
    kept, low, high = (run(sines(hertz), band_hz=(4.0, 30.0), phase=phase) for hertz in (12.0, 0.5, 80.0))
    assert middle(kept).std() == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert middle(low).std() < 0.01
    assert middle(high).std() < 0.01


def test_zero_phase_keeps_the_moment_and_causal_never_knows_the_future() -> None:
    eeg = sines(12.0)
    assert np.abs(middle(run(eeg, band_hz=(4.0, 30.0)) - eeg)).max() < 0.02
    changed = eeg.copy()
    changed[:, 2000:] = 99.0
    for phase, knows in (("causal", False), ("zero", True)):
        before, after = (run(one, band_hz=(4.0, 30.0), phase=phase)[:, :2000] for one in (eeg, changed))
        assert (not np.allclose(before, after)) == knows


def test_the_notch_takes_the_mains_and_leaves_its_neighbours() -> None:
    assert middle(run(sines(50.0), notch_hz=50.0)).std() < 0.01
    assert middle(run(sines(45.0), notch_hz=50.0)).std() == pytest.approx(np.sqrt(0.5), rel=0.05)


def test_the_band_is_mnes_butterworth_of_the_same_order() -> None:
    mne = pytest.importorskip("mne")
    eeg = np.random.default_rng(0).standard_normal((3, TIME.size))
    for phase, named in (("zero", "zero"), ("causal", "forward")):
        wanted = mne.filter.filter_data(
            eeg, RATE, 4.0, 30.0, method="iir", phase=named, iir_params={"order": 4, "ftype": "butter"}, verbose="error"
        )
        assert np.abs(middle(run(eeg, band_hz=(4.0, 30.0), phase=phase) - wanted)).max() < 1e-6


def test_an_open_end_is_a_high_pass_or_a_low_pass() -> None:
    both = sines(1.0, 40.0)
    assert middle(run(both, band_hz=(10.0, None)) - sines(40.0)).std() < 0.02
    assert middle(run(both, band_hz=(None, 10.0)) - sines(1.0)).std() < 0.02


def test_references_are_subtracted_at_every_sample() -> None:
    eeg = np.random.default_rng(0).standard_normal((3, 400))
    assert run(eeg, reference="average") == pytest.approx(eeg - eeg.mean(axis=0))
    assert run(eeg, reference=("Fz", "Pz")) == pytest.approx(eeg - eeg[[0, 2]].mean(axis=0))


def test_what_is_done_to_the_signal_is_said_aloud_and_is_part_of_the_fingerprint(tmp_path: Path) -> None:
    folder = native(tmp_path / "trials")
    plain, band = opened(folder), opened(folder, band_hz=(1.0, 30.0), reference="average")
    late = opened(folder, band_hz=(1.0, 30.0), reference="average", filter_phase="causal")
    assert len({plain.fingerprint, band.fingerprint, late.fingerprint}) == 3
    assert plain.notices == ()
    said = (
        "EEG is referenced to the average, band-passed from 1 Hz to 30 Hz, zero phase: a sample knows what follows it"
    )
    assert band.notices == (f"{said}; each trial by itself, so its ends suffer",)
    assert "causal: what is filtered is late" in late.notices[0]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"band_hz": (30.0, 1.0)}, "band_hz [30.0, 1.0] is no band"),
        ({"band_hz": (None, None)}, "band_hz [None, None] is no band"),
        ({"band_hz": (1.0, 60.0)}, "60 Hz cannot be told from others at 100 samples a second"),
        ({"notch_hz": 50.0}, "50 Hz cannot be told from others at 100 samples a second"),
        ({"reference": ("M1", "Cz")}, "M1 cannot be a reference: no such channel is used"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(tmp_path: Path, options: dict[str, Any], what: str) -> None:
    (problem,) = problems(native(tmp_path / "trials"), **options)
    assert problem.what == what


def loud(one: dict[str, Any], index: int) -> None:
    """Each subject's EEG is louder than the one's before, and off zero by as much."""
    one["eeg"] = one["eeg"] * (1 + index // 6) + 100.0 * (index // 6)


@pytest.mark.parametrize("split", ["trial", "subject"])
def test_each_subject_may_be_scaled_by_itself(tmp_path: Path, split: str) -> None:
    folder = native(tmp_path / "trials", trials_of(change=loud))
    data = TrialsConfig(path=str(folder), zscore="subject", split=split).open(CPU)  # type: ignore[arg-type]
    for name, trials in data.splits.items():
        for subject in np.unique(trials.session):
            z = data._eeg[name][trials.session == subject].numpy()
            exact = name == "train" or split == "subject"
            assert z.mean(axis=(0, 2)) == pytest.approx(0, abs=1e-4 if exact else 0.3)
            assert z.std(axis=(0, 2)) == pytest.approx(1, abs=1e-4 if exact else 0.3)
    together = opened(folder, split=split)
    means = [float(z.mean()) for of_split in together._eeg.values() for z in of_split]
    assert max(means) - min(means) > 1  # else subjects keep their own loudness and level
