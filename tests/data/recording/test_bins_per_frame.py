"""Several bins a frame: the stimulus is written once a frame, and read with a row a bin."""

from pathlib import Path

import numpy as np
import pytest
from data_samples import noise_recording

from ablate.data.recording import read_recording, write_recording
from ablate.errors import AblateError

BINS = 600


def folder_of(place: Path, bins_per_frame: object, frames: int) -> Path:
    write_recording(place, noise_recording("rec", BINS))
    np.save(place / "stimulus.npy", noise_recording("rec", frames).stimulus)
    (place / "recording.yaml").write_text(f"name: rec\nbin_rate_hz: 120\nbins_per_frame: {bins_per_frame}\n")
    return place


def test_each_frame_is_shown_for_its_bins(tmp_path: Path) -> None:
    read = read_recording(folder_of(tmp_path / "rec", 4, BINS // 4))
    frames = noise_recording("rec", BINS // 4).stimulus
    assert read.frames == BINS
    for bin_ in (0, 3, 4, 599):
        np.testing.assert_array_equal(read.stimulus[bin_], frames[bin_ // 4])
    assert "bins_per_frame" not in read.notes


def test_frames_that_do_not_cover_the_bins_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="spikes has 600 bins, longer than the stimulus with 400 frames"):
        read_recording(folder_of(tmp_path / "rec", 4, 100))


@pytest.mark.parametrize("bins", [0, -2, 2.5, "four", "true", 10**6])
def test_what_is_no_number_of_bins_is_refused(bins: object, tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="bins_per_frame must be a whole number from 1 to 1000"):
        read_recording(folder_of(tmp_path / "rec", bins, BINS))
