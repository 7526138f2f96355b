"""What tells one recording's content from another's."""

from dataclasses import replace

import numpy as np
import pytest
from data_samples import noise_recording

from ablate.data.encoding.reading.frames import content_hash
from ablate.data.recording import Recording
from ablate.data.recording.session import OPTIONAL, REPEATED

ARRAYS = ("stimulus", "spikes", *OPTIONAL, *REPEATED)


@pytest.fixture
def recording() -> Recording:
    """With every array that a recording may have."""
    one = noise_recording(frames=40)
    counts = np.ones(one.frames, np.uint8)
    beside = {
        "behavior_valid": np.ones_like(one.behavior, bool),
        "valid": np.ones_like(one.spikes, bool),
        "trials": counts,
        "split": counts,
        "floor_rates": one.rates,
        "repeats": one.spikes[None, :20],
        "repeat_stimulus": one.stimulus[:20],
    }
    return replace(one, **beside)


@pytest.mark.parametrize("name", ARRAYS)
def test_one_other_value_in_any_array_is_another_recording(recording, name):
    """The rates of a world without receptive fields were left out: a study kept the floor that they had given."""
    array = getattr(recording, name).copy()
    array.flat[7] = not array.flat[7]
    changed = replace(recording, **{name: array})
    assert content_hash(changed) != content_hash(recording)
    assert content_hash(replace(recording, **{name: getattr(recording, name).copy()})) == content_hash(recording)
