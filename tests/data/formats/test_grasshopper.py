"""The two receptors that nitime ships: read as their files say, and a GLM finds the ear's delay."""

from pathlib import Path

import numpy as np
import pytest

from ablate.data.formats.grasshopper import GrasshopperConfig, read_grasshopper, shipped
from ablate.errors import AblateError


@pytest.fixture
def files() -> Path:
    pytest.importorskip("nitime", reason="the recordings come with nitime")
    return shipped()


def test_every_spike_is_counted_in_its_millisecond_and_the_sound_is_in_decibels(files: Path) -> None:
    first, second = (read_grasshopper(place) for place in GrasshopperConfig().places())
    times = np.loadtxt(files / "grasshopper_spike_times1.txt")
    np.testing.assert_array_equal(np.flatnonzero(first.spikes[:, 0]), times // 1000)
    assert (first.frames, first.bin_rate_hz, int(second.spikes.sum())) == (10_000, 1000.0, 868)
    amplitude = np.loadtxt(files / "grasshopper_stimulus1.txt", max_rows=20)[:, 1]
    assert first.stimulus[0, 0, 0] == pytest.approx(20 * np.log10(amplitude).mean(), rel=1e-5), "its maximum is 1"


def test_the_receptor_answers_to_the_sound_of_six_milliseconds_before(files: Path) -> None:
    recording = read_grasshopper(files / "grasshopper_stimulus1.txt")
    sound, spikes = recording.stimulus[:, 0, 0], recording.spikes[:, 0].astype(float)
    triggered = [float(np.corrcoef(sound[: 10_000 - lag], spikes[lag:])[0, 1]) for lag in range(25)]
    assert np.argmax(triggered) == 6


def test_what_is_missing_or_no_table_is_told(tmp_path: Path) -> None:
    sound = tmp_path / "grasshopper_stimulus1.txt"
    sound.write_text("".join(f"{50 * k} {1 + k % 3}\n" for k in range(200)))
    with pytest.raises(AblateError, match=r"grasshopper_spike_times1\.txt: is missing"):
        read_grasshopper(sound)
    spikes = tmp_path / "grasshopper_spike_times1.txt"
    spikes.write_text("# head\n1200\n2500\n")
    assert read_grasshopper(sound).spikes[:, 0].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    with pytest.raises(AblateError, match="no whole number of which fills a bin"):
        read_grasshopper(sound, 700.0)
    spikes.write_text("hello\n")
    with pytest.raises(AblateError, match="is no table of numbers"):
        read_grasshopper(sound)
