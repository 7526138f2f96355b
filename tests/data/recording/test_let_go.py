"""Pages of a mapped file that were read once are given back, and read again when they are asked for."""

import sys
from pathlib import Path

import numpy as np
import pytest

from ablate.data.encoding.recurring.frame_facts import frame_facts
from ablate.data.recording.array_file import first_place, let_go, map_array, negative

FRAMES = np.random.default_rng(0).integers(0, 256, (2000, 64, 64), np.uint8)  # 8 MB


def mapped_bytes() -> int:
    """Of files, in this process's memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssFile"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_recordings_that_were_split_take_no_memory(tmp_path: Path):
    np.save(tmp_path / "stimulus.npy", FRAMES)
    stimulus = map_array(tmp_path / "stimulus.npy")
    before = mapped_bytes()
    assert stimulus.max() == 255
    assert mapped_bytes() - before > FRAMES.nbytes / 2
    facts = frame_facts(stimulus)
    assert mapped_bytes() - before < FRAMES.nbytes / 4
    assert np.array_equal(stimulus, FRAMES)
    assert np.array_equal(facts.number, frame_facts(FRAMES).number)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_values_that_were_checked_take_no_memory(tmp_path: Path):
    np.save(tmp_path / "rates.npy", FRAMES.astype(np.int16))
    rates = map_array(tmp_path / "rates.npy")
    before = mapped_bytes()
    assert first_place(rates, negative) is None
    assert mapped_bytes() - before < rates.nbytes / 4


def test_what_was_changed_in_a_private_map_stays(tmp_path: Path):
    np.save(tmp_path / "stimulus.npy", FRAMES[:2])
    private = np.load(tmp_path / "stimulus.npy", mmap_mode="c")
    private[0] = 7
    let_go(private)
    assert (private[0] == 7).all()


def test_an_array_in_memory_is_left_as_it_is():
    frames = FRAMES[:4].copy()
    let_go(frames)
    let_go(frames[1:])
    assert np.array_equal(frames, FRAMES[:4])
