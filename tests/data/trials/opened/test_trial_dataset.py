"""Trials as batches: order, splits, controls."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ablate.contract import FusionBatch
from ablate.data.coincidence import CoincidenceConfig
from ablate.data.trials.opened.dataset import TrialDataset
from ablate.data.trials.opened.split import check_overlap
from ablate.errors import AblateError

CPU = torch.device("cpu")


def opened(**options: object) -> TrialDataset:
    counts = {"train_trials": 50, "validation_trials": 13, "test_trials": 21}
    return CoincidenceConfig.model_validate({**counts, **options}).open(CPU)


def test_rows_are_grouped_by_subject_in_the_order_of_the_targets() -> None:
    data = opened()
    batch = data.batch("train", np.array([7, 2, 4, 5, 0]))  # subjects 3, 2, 0, 1, 0
    assert [target.session for target in batch.targets] == [0, 1, 2, 3]
    assert torch.equal(batch.targets[0].values, torch.from_numpy(data.splits["train"].labels[[4, 0]]))
    assert batch.targets[0].entry is not None
    assert batch.targets[0].entry.tolist() == [1, 0]
    assert batch.size == 5


def test_a_sweep_meets_every_trial_once() -> None:
    data = opened()
    seen = [
        (target.session, int(entry))
        for batch in data.sweep("test", batch_size=4)
        for target in batch.targets
        for entry in target.entry  # type: ignore[union-attr]
    ]
    assert len(seen) == len(set(seen)) == 21
    gains = data.attainable("test")
    assert gains is not None
    assert [len(array) for array in gains] == [6, 5, 5, 5]


def test_the_same_seed_gives_the_same_batches_and_the_stream_goes_on_where_it_stopped() -> None:
    data = opened()
    first, again = data.train(seed=3, batch_size=16), data.train(seed=3, batch_size=16)
    for _ in range(5):
        a, b = next(first), next(again)
        assert torch.equal(a.eeg, b.eeg)
    resumed = data.train(seed=3, batch_size=16)
    resumed.load_state_dict(first.state_dict())
    assert torch.equal(next(first).eeg, next(resumed).eeg)
    assert not torch.equal(next(first).eeg, next(data.train(seed=4, batch_size=16)).eeg)


def test_an_epoch_meets_every_trial_before_any_comes_again() -> None:
    stream = opened().train(seed=0, batch_size=25)
    rows = torch.cat([next(stream).eeg[:, 0, 0], next(stream).eeg[:, 0, 0]])
    assert len(rows.unique()) == 50


def test_controls_leave_labels_batches_and_scored_entries_alone() -> None:
    plain, shuffled, poisoned = opened(), opened(shuffle_pairs=True), opened(poison_pads=True)
    assert plain.scored_hash("test") == shuffled.scored_hash("test") == poisoned.scored_hash("test")
    a, b, c = (next(data.train(seed=0, batch_size=8)) for data in (plain, shuffled, poisoned))
    assert torch.equal(a.eeg, b.eeg)
    assert torch.equal(a.eeg, c.eeg)
    for x, y in zip(a.targets, b.targets, strict=True):
        assert torch.equal(x.values, y.values)


def test_shuffled_pairs_give_every_trial_the_video_of_another_one() -> None:
    plain, shuffled = opened().splits["test"], opened(shuffle_pairs=True).splits["test"]
    rows = np.arange(21)
    before, after = plain.frames[rows].reshape(21, -1), shuffled.frames[rows].reshape(21, -1)
    assert not (before == after).all(axis=1).any()
    assert sorted(before[:, 0].tolist()) == sorted(after[:, 0].tolist())


@pytest.mark.parametrize("mode", ["features", "pixels"])
def test_poisoned_pads_are_nan_and_the_rest_is_untouched(mode: str) -> None:
    plain, poisoned = opened(mode=mode), opened(mode=mode, poison_pads=True)

    def first(data: TrialDataset) -> FusionBatch:
        return next(data.train(seed=0, batch_size=4))

    a, b = first(plain), first(poisoned)
    assert torch.isnan(b.frames[~b.frame_mask]).all()
    assert torch.equal(b.frames[b.frame_mask], a.frames[a.frame_mask].float())


def test_eeg_is_z_scored_by_the_training_split() -> None:
    data = opened()
    eeg = torch.cat([batch.eeg for batch in (data.batch("train", np.arange(50)),)])
    torch.testing.assert_close(eeg.mean(dim=(0, 2)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(eeg.std(dim=(0, 2)), torch.ones(4), atol=1e-3, rtol=0)


def test_smaller_fractions_are_subsets_with_the_same_statistics() -> None:
    half = opened(fraction=0.5)
    assert half.splits["train"].trial_ids == opened().splits["train"].trial_ids[:25]
    assert half.spec.class_prior == opened().spec.class_prior


def test_split_by_subject_keeps_subjects_apart() -> None:
    data = opened(split="subject", subjects=5)
    subjects = {name: set(split.session.tolist()) for name, split in data.splits.items()}
    assert subjects == {"test": {0}, "validation": {1}, "train": {2, 3, 4}}


def test_a_trial_in_two_splits_is_refused() -> None:
    splits = opened().splits
    leaking = {**splits, "test": replace(splits["test"], trial_ids=("train_000003", *splits["test"].trial_ids[1:]))}
    with pytest.raises(AblateError, match="1 trials are in both train and test") as told:
        check_overlap(leaking, "trial")
    assert "train_000003" in told.value.problems[0].what
    with pytest.raises(AblateError, match="4 subjects are in both train and validation"):
        check_overlap(splits, "subject")


@pytest.mark.parametrize("parts", [1, 2, 5, 16])
def test_a_batch_of_trials_cut_in_parts_holds_the_same_rows_in_the_same_order(parts: int) -> None:
    whole = next(opened(mode="pixels", subjects=3).train(seed=0, batch_size=10))
    cut = whole.cut(parts)
    for name in ("eeg", "frames", "frame_mask", "frame_keys"):
        assert torch.equal(torch.cat([getattr(part, name) for part in cut]), getattr(whole, name))
    for target in whole.targets:
        mine = [one for part in cut for one in part.targets if one.session == target.session]
        assert torch.equal(torch.cat([one.values for one in mine]), target.values)
        assert torch.equal(torch.cat([one.entry for one in mine]), target.entry)  # type: ignore[arg-type]
