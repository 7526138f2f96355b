"""Random changes of training batches: the shares asked for, the same for every variant, never what is scored."""

import pytest
import torch
from pydantic import ValidationError

from ablate.contract import FusionBatch
from ablate.data.coincidence import CoincidenceConfig
from ablate.data.trials.augment import AugmentConfig, moved
from ablate.data.trials.opened.dataset import TrialDataset

CPU = torch.device("cpu")


def opened(**augment: object) -> TrialDataset:
    counts = {"train_trials": 200, "validation_trials": 13, "test_trials": 21}
    return CoincidenceConfig.model_validate({**counts, "augment": augment}).open(CPU)


def batches(count: int = 4, seed: int = 3, **augment: object) -> list[FusionBatch]:
    stream = opened(**augment).train(seed=seed, batch_size=100)
    return [next(stream) for _ in range(count)]


def test_modalities_are_dropped_in_the_shares_that_were_asked_for_and_never_both() -> None:
    plain, changed = batches(), batches(drop_video=0.3, drop_eeg=0.2)
    without_video = torch.cat([~batch.frame_mask.any(2).any(1) for batch in changed])
    without_eeg = torch.cat([(batch.eeg == 0).all(2).all(1) for batch in changed])
    assert float(without_video.float().mean()) == pytest.approx(0.3, abs=0.09)  # 4 standard deviations of 400
    assert float(without_eeg.float().mean()) == pytest.approx(0.2, abs=0.08)
    assert not (without_video & without_eeg).any()
    for before, after in zip(plain, changed, strict=True):
        kept = after.frame_mask.any(2).any(1)
        assert torch.equal(before.frame_mask[kept], after.frame_mask[kept])
        heard = ~(after.eeg == 0).all(2).all(1)
        assert torch.equal(before.eeg[heard], after.eeg[heard])
        assert torch.equal(before.frames, after.frames)
    labels = [torch.cat([target.values for target in batch.targets]) for batch in (*plain, *changed)]
    assert torch.equal(torch.cat(labels[:4]), torch.cat(labels[4:]))


def test_noise_has_the_size_that_was_asked_for() -> None:
    plain, changed = batches(1)[0], batches(1, eeg_noise=0.5)[0]
    noise = changed.eeg - plain.eeg
    assert float(noise.std()) == pytest.approx(0.5, rel=0.02)
    assert abs(float(noise.mean())) < 0.01


def test_a_shift_moves_each_trial_and_brings_in_zeros() -> None:
    one = torch.arange(1.0, 7.0).expand(2, 6)
    assert moved(one, 2)[1].tolist() == [0, 0, 1, 2, 3, 4]
    assert moved(one, -2)[0].tolist() == [3, 4, 5, 6, 0, 0]
    assert moved(one, 9).tolist() == moved(one, -6).tolist() == torch.zeros(2, 6).tolist()
    plain, changed = batches(1)[0], batches(1, eeg_shift=3)[0]
    found = set()
    for before, after in zip(plain.eeg, changed.eeg, strict=True):
        (step,) = (step for step in range(-3, 4) if torch.equal(moved(before, step), after))
        found.add(step)
    assert found == set(range(-3, 4))


def test_every_variant_sees_the_same_changes_and_another_option_moves_none_of_them() -> None:
    first = batches(drop_video=0.4)
    assert all(torch.equal(a.frame_mask, b.frame_mask) for a, b in zip(first, batches(drop_video=0.4), strict=True))
    beside = batches(drop_video=0.4, eeg_noise=1.0, eeg_shift=2)
    assert all(torch.equal(a.frame_mask, b.frame_mask) for a, b in zip(first, beside, strict=True))
    other = batches(seed=4, drop_video=0.4)
    assert not all(torch.equal(a.frame_mask, b.frame_mask) for a, b in zip(first, other, strict=True))


def test_a_stream_that_is_taken_up_again_changes_its_batches_as_before() -> None:
    data = opened(eeg_noise=1.0, drop_video=0.3)
    stream = data.train(seed=1, batch_size=60)
    for _ in range(4):
        next(stream)
    resumed = data.train(seed=1, batch_size=60)
    resumed.load_state_dict(stream.state_dict())
    for _ in range(3):
        a, b = next(stream), next(resumed)
        assert torch.equal(a.eeg, b.eeg)
        assert torch.equal(a.frame_mask, b.frame_mask)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_what_is_scored_is_never_changed(split: str) -> None:
    plain, changed = opened(), opened(eeg_noise=1.0, drop_video=0.9, eeg_shift=5)
    for before, after in zip(
        plain.sweep(split, batch_size=7),  # type: ignore[arg-type]
        changed.sweep(split, batch_size=7),  # type: ignore[arg-type]
        strict=True,
    ):
        assert torch.equal(before.eeg, after.eeg)
        assert torch.equal(before.frame_mask, after.frame_mask)


def test_shares_of_the_same_trials_are_at_most_all_of_them() -> None:
    with pytest.raises(ValidationError, match="together at most 1"):
        AugmentConfig(drop_video=0.7, drop_eeg=0.4)
