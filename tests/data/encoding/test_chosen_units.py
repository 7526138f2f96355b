"""Units that a recipe asks for: the others keep their numbers and count nowhere; behaviour of the same bin."""

from typing import Any

import numpy as np
import pytest
import torch
from data_samples import noise_recording

from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.config import UnitsConfig
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.errors import AblateError

CPU = torch.device("cpu")
SETTINGS: dict[str, Any] = {"window": 16, "warmup": 8, "score_every": 4, "min_spikes": 1}


def opened(**fields: Any) -> EncodingDataset:
    return EncodingDataset((noise_recording(),), RecordingsConfig(**SETTINGS, **fields), device=CPU)


def test_units_that_are_not_asked_for_are_neither_trained_on_nor_scored() -> None:
    data = opened(units=UnitsConfig(only=(0, 2)))
    batches = [next(data.train(seed=0, batch_size=8)), *data.sweep("test", batch_size=8)]
    for batch in batches:
        valid = batch.targets[0].valid
        assert not valid[..., 1].any()
        assert valid[..., [0, 2]].any()
    assert data.scored_units("test") == 2
    assert data.scored_hash("test") != opened().scored_hash("test")
    assert data.fingerprint != opened().fingerprint
    assert "noise: of 3 units, 1 not asked for (data.units.only)" in data.notices


def test_units_keep_their_numbers() -> None:
    batch, whole = (next(data.train(seed=0, batch_size=8)) for data in (opened(units=UnitsConfig(only=(2,))), opened()))
    assert torch.equal(batch.targets[0].values, whole.targets[0].values)


def test_a_least_rate_is_that_of_the_training_split() -> None:
    """The second unit fires in the test alone."""
    recording = noise_recording()
    plain = EncodingDataset((recording,), RecordingsConfig(**SETTINGS), device=CPU)
    spikes = recording.spikes.copy()
    spikes[plain.splits[0].label == 0, 1] = 0
    spikes[np.flatnonzero(plain.splits[0].label == 0)[::50], 1] = 1
    rare = noise_recording(spikes=spikes)
    config = RecordingsConfig(**SETTINGS, units=UnitsConfig(min_rate_hz=5.0))
    data = EncodingDataset((rare,), config, device=CPU)
    assert data.not_asked[0].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("units", "message"),
    [
        ({"only": (0, 3)}, "noise has 3 units, numbered from 0; there is no unit 3"),
        ({"min_rate_hz": 1000.0}, "no unit of noise is left"),
    ],
)
def test_what_leaves_nothing_is_refused(units: dict[str, Any], message: str) -> None:
    with pytest.raises(AblateError, match=message):
        opened(units=UnitsConfig(**units))


@pytest.mark.parametrize("only", [(), (-1,), (1, 1)])
def test_a_list_that_names_no_units_is_refused(only: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="each once, counted from 0"):
        UnitsConfig(only=only)


def test_behaviour_of_the_same_bin_is_the_row_of_the_frame() -> None:
    data = opened(behavior="same_bin")
    recording, statistics = data.recordings[0], data.statistics[0]
    assert recording.behavior is not None
    ends = np.array([200, 301])
    behavior = data.windows(0, ends).behavior
    assert behavior is not None
    for row, end in enumerate(ends):
        meant = (recording.behavior[end - 15 : end + 1] - statistics.behavior_mean) / statistics.behavior_std
        np.testing.assert_allclose(behavior[row].numpy(), meant, rtol=1e-5)
