"""Trials of unequal length: refused unless `lengths: padded`; what lies in a pad reaches no score and no gradient."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ablate.contract import FusionBatch
from ablate.data.trials import TrialsConfig
from ablate.data.trials.layout.native import write_folder
from ablate.errors import AblateError
from ablate.model.fusion.model import FusionConfig, FusionModel
from ablate.training.loss import mean_loss

CPU = torch.device("cpu")
META = {"eeg_rate_hz": 50.0, "channel_names": ["Fz", "Cz", "Pz"], "units": "uV", "interval_s": 1.0}
LENGTHS = (2, 3, 4)


def trial(index: int) -> dict[str, Any]:
    """2, 3 or 4 intervals of a second, loud where the trial is long; every third one has no video."""
    rng = np.random.default_rng(index)
    length = LENGTHS[index % 3]
    told: dict[str, Any] = {
        "trial_id": f"t{index:03d}",
        "subject": f"s{index % 2}",
        "session": "a",
        "label": ["calm", "happy"][index % 5 % 2],
        "eeg": (5 * length * rng.standard_normal((3, 50 * length))).astype(np.float32),
    }
    if index % 9:
        told |= {
            "features": rng.standard_normal((length, 2, 5)).astype(np.float32),
            "frame_mask": np.arange(2) < rng.integers(1, 3, length)[:, None],
        }
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("unequal")
    write_folder(place, META, [trial(index) for index in range(36)])
    return place


def opened(folder: Path, **options: object):
    return TrialsConfig.model_validate({"path": str(folder), "lengths": "padded", **options}).open(CPU)


def length_of(trial_id: str) -> int:
    return LENGTHS[int(trial_id[1:]) % 3]


def model_for(spec: Any, **options: object) -> FusionModel:
    torch.manual_seed(0)
    parts = {"fusion": {"type": "gated_cross_attention", "gate_init": 0.5}, "eeg": {"type": "eegnet"}, **options}
    return FusionConfig.model_validate({"embedding_dim": 8, **parts}).build(spec)


def test_they_are_refused_unless_the_recipe_says_what_becomes_of_them(folder: Path) -> None:
    with pytest.raises(AblateError) as told:
        TrialsConfig(path=str(folder)).open(CPU)
    hints = {problem.hint for problem in told.value.problems}
    assert "cut all trials to the same length, or `data.lengths: padded`" in hints


def test_every_trial_keeps_its_own_length(folder: Path) -> None:
    data = opened(folder)
    assert (data.spec.intervals, data.spec.eeg_samples) == (4, 200)
    assert any("trials of 2 to 4 intervals: 24 of 36 are padded at their end" in notice for notice in data.notices)
    for name, split in data.splits.items():
        batch = data.batch(name, np.arange(len(split)))
        order = np.argsort(split.session, kind="stable")
        for row, trial_id in enumerate(np.array(split.trial_ids)[order]):
            length, original = length_of(trial_id), trial(int(trial_id[1:]))
            assert batch.lasting[row].tolist() == [i < length for i in range(4)]
            assert (batch.eeg[row, :, 50 * length :] == 0).all()
            assert not batch.frame_mask[row, length:].any()
            stored = split.eeg[order[row], :, : 50 * length]
            np.testing.assert_array_equal(stored, original["eeg"])
            if "features" in original:
                there = batch.frame_mask[row, :length]
                np.testing.assert_array_equal(there, original["frame_mask"])
                np.testing.assert_array_equal(batch.frames[row, :length][there], original["features"][there.numpy()])


@pytest.mark.parametrize("zscore", ["train", "subject"])
def test_no_pad_is_part_of_a_mean_or_deviation(folder: Path, zscore: str) -> None:
    data = opened(folder, zscore=zscore)
    train = data.splits["train"]
    for subject in (0, 1) if zscore == "subject" else (None,):
        rows = [row for row in range(len(train)) if subject is None or train.session[row] == subject]
        own = np.concatenate([data._eeg["train"][row, :, : 50 * train.lengths[row]] for row in rows], axis=1)
        np.testing.assert_allclose(own.mean(axis=1), 0, atol=1e-5)
        np.testing.assert_allclose(own.std(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("kind", ["late", "concat", "cross_attention", "gated_cross_attention", "none"])
@pytest.mark.parametrize("eeg", ["eegnet", "conformer", "none"])
def test_what_lies_in_a_pad_reaches_no_prediction_and_no_gradient(folder: Path, kind: str, eeg: str) -> None:
    fusion = {"type": kind, "mask": "all"} if "attention" in kind else {"type": kind}
    found = {}
    for poisoned in (False, True):
        data = opened(folder, poison_pads=poisoned)
        model = model_for(data.spec, fusion=fusion, eeg={"type": eeg}, mixer={"type": "gru", "scope": "clip"})
        batch = data.batch("train", np.arange(len(data.splits["train"])))
        assert bool(torch.isnan(batch.eeg).any()) is poisoned
        predictions = model(batch)
        mean_loss(predictions, batch, "labels").backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        found[poisoned] = torch.cat([value.flatten() for value in (*predictions, *gradients)])
    assert torch.isfinite(found[True]).all()
    assert torch.equal(found[True], found[False])


@pytest.mark.parametrize("length", [2, 3])
def test_a_short_trial_scores_what_it_scores_without_any_pad(folder: Path, length: int) -> None:
    data = opened(folder)
    rows = np.array([row for row, name in enumerate(data.splits["train"].trial_ids) if length_of(name) == length])
    batch = data.batch("train", rows)
    long = model_for(data.spec).eval()
    short = model_for(replace(data.spec, intervals=length, eeg_samples=50 * length)).eval()
    state = long.state_dict()
    short.load_state_dict({**state, "fusion.embedding": state["fusion.embedding"][:, :length]})
    cut = FusionBatch(
        batch.eeg[:, :, : 50 * length], batch.frames[:, :length], batch.frame_mask[:, :length], batch.targets
    )
    assert len(rows)
    torch.testing.assert_close(torch.cat(long(batch)), torch.cat(short(cut)), atol=1e-6, rtol=1e-5)


def test_no_interval_beyond_the_end_of_a_trial_has_a_label(tmp_path: Path) -> None:
    trials = [trial(index) for index in range(36)]
    write_folder(tmp_path, META, trials)
    lines = (tmp_path / "manifest.csv").read_text().splitlines()
    labels = ["|".join(["calm", "happy", "", "calm"][: length_of(one["trial_id"])]) for one in trials]
    text = [f"{lines[0]},interval_labels"] + [f"{line},{label}" for line, label in zip(lines[1:], labels, strict=True)]
    (tmp_path / "manifest.csv").write_text("\n".join(text))
    data = opened(tmp_path)
    for name, split in data.splits.items():
        batch = data.batch(name, np.arange(len(split)))
        valid = torch.cat([target.valid for target in batch.targets])
        assert torch.equal(valid, batch.lasting & (torch.arange(4) != 2))
        out = model_for(data.spec)(batch)
        assert sum(one.shape[0] for one in out) == len(split)
    (tmp_path / "manifest.csv").write_text("\n".join([*text[:3], text[3].replace("calm|happy||calm", "calm|happy")]))
    with pytest.raises(AblateError, match="holds 2 labels, the trial has 4 intervals"):
        opened(tmp_path)


def test_a_longer_trials_film_ends_with_the_trial_that_it_is_shown_to(folder: Path) -> None:
    data = opened(folder, shuffle_pairs=True)
    batch = data.batch("train", np.arange(len(data.splits["train"])))
    assert not (batch.frame_mask & ~batch.lasting[..., None]).any()


def test_the_batch_is_cut_with_its_lengths(folder: Path) -> None:
    batch = opened(folder).batch("train", np.arange(8))
    assert torch.equal(torch.cat([half.lasting for half in batch.cut(2)]), batch.lasting)


def test_recordings_and_films_of_unequal_length_are_padded_too(tmp_path: Path) -> None:
    mne, _ = pytest.importorskip("mne"), pytest.importorskip("av")
    rng, lines = np.random.default_rng(0), ["trial_id,subject,label,eeg,video,t0_eeg_s,t0_video_s,seconds"]
    raw = mne.io.RawArray(2e-5 * rng.standard_normal((3, 6000)), mne.create_info(3, 100.0, "eeg"), verbose="error")
    raw.save(tmp_path / "a_raw.fif", verbose="error")
    for index in range(12):
        label, seconds = ("calm", "happy")[index % 2], 2 + 2 * (index % 3 == 0)
        lines.append(f"t{index},a,{label},a_raw.fif,,{5 * index},,{seconds}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    options = {"layout": "mne", "interval_s": 1.0, "frames": 2, "image_size": 8, "most_absent": 1.0}
    with pytest.raises(AblateError, match="cut all trials to the same length"):
        TrialsConfig.model_validate({"path": str(tmp_path), **options}).open(CPU)
    data = opened(tmp_path, **options)
    assert data.spec.intervals == 4
    counted = {name: int(n) for s in data.splits.values() for name, n in zip(s.trial_ids, s.lengths, strict=True)}
    assert counted == {f"t{index}": 2 + 2 * (index % 3 == 0) for index in range(12)}
