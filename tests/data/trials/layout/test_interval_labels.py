"""Labels that change within a recorded trial: read, refused where they do not fit; what a time mask makes of them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from trial_folders import CPU, native, opened, problems, said, trials_of

from ablate.data import TrialsConfig
from ablate.errors import AblateError


def with_labels(place: Path, cells: list[str] | None = None) -> Path:
    """24 native trials of two intervals, each with a label of its own."""
    folder = native(place)
    lines = (folder / "manifest.csv").read_text().splitlines()
    given = cells or [["calm|happy", "happy|calm", "calm|", "happy|happy"][index % 4] for index in range(24)]
    text = [f"{lines[0]},interval_labels", *(f"{line},{cell}" for line, cell in zip(lines[1:], given, strict=True))]
    (folder / "manifest.csv").write_text("\n".join(text) + "\n")
    return folder


def test_each_interval_has_its_label_and_an_empty_one_has_none(tmp_path: Path) -> None:
    data = opened(with_labels(tmp_path / "trials"))
    assert (data.spec.labels_per, data.spec.classes, data.spec.class_names) == ("interval", 2, ("calm", "happy"))
    wanted = [(0, 1), (1, 0), (0, -1), (1, 1)]
    for split in data.splits.values():
        for name, labels in zip(split.trial_ids, split.labels.tolist(), strict=True):
            assert tuple(labels) == wanted[int(name[1:]) % 4]
    target = data.batch("train", np.arange(4)).targets[0]
    assert target.valid.shape == target.values.shape == (len(target.values), 2)


def test_a_trial_with_another_number_of_labels_is_named(tmp_path: Path) -> None:
    cells = ["calm|happy"] * 24
    cells[3], cells[7], cells[9] = "calm|happy|calm", "", "|"
    text = said(with_labels(tmp_path / "trials", cells))
    assert "manifest.csv:5: interval_labels holds 3 labels, the trial has 2 intervals" in text
    assert "manifest.csv:9: interval_labels holds 0 labels, the trial has 2 intervals" in text
    assert "manifest.csv:11: no interval of the trial has a label" in text


def test_one_class_written_in_two_ways_is_found_in_intervals_too(tmp_path: Path) -> None:
    (one,) = problems(with_labels(tmp_path / "trials", ["calm|happy"] * 23 + ["Calm|happy"]))
    assert "`Calm` (1 trials) and `calm` (23 trials) are two classes" in one.what


def test_info_counts_the_labels_of_intervals(tmp_path: Path) -> None:
    from ablate.data.trials.info import trials_info

    info = trials_info(TrialsConfig(path=str(with_labels(tmp_path / "trials"))))
    counts = [count for subject in info.subjects for of in subject.labels.values() for count in of.values()]
    assert sum(counts) == 24 * 2 - 6


def test_balanced_batches_hold_every_class_equally_often(tmp_path: Path) -> None:
    def rare(one: dict, index: int) -> None:
        one["label"] = "happy" if index % 10 == 0 else "calm"

    folder = native(tmp_path / "trials", trials_of(2, 40, rare))
    shares = {}
    for sampling in ("natural", "balanced"):
        data = TrialsConfig(path=str(folder), sampling=sampling).open(CPU)  # type: ignore[arg-type]
        stream = data.train(seed=0, batch_size=8)
        labels = torch.cat([target.values.flatten() for _ in range(200) for target in next(stream).targets])
        shares[sampling] = float((labels == 1).float().mean())
        assert data.spec.class_prior[1] == pytest.approx(0.1, abs=0.03)  # scores stay over what there is
    assert shares["natural"] == pytest.approx(0.1, abs=0.03)
    assert shares["balanced"] == pytest.approx(0.5, abs=0.05)


def test_balanced_sampling_is_the_same_for_the_same_seed_and_refused_for_intervals(tmp_path: Path) -> None:
    data = TrialsConfig(path=str(native(tmp_path / "a")), sampling="balanced").open(CPU)
    first, again = (data.train(seed=3, batch_size=4) for _ in range(2))
    assert all(torch.equal(next(first).eeg, next(again).eeg) for _ in range(5))
    with pytest.raises(AblateError, match="sampling balanced needs one label a trial"):
        TrialsConfig(path=str(with_labels(tmp_path / "b")), sampling="balanced").open(CPU)


# ------------------------------------------------------------------ planted: the film says one half, the EEG the other

INTERVALS, RATE, FPS = 4, 100, 10


def planted(folder: Path, subjects: int = 2, each: int = 50) -> Path:
    """In every interval the film is dark or bright and the EEG has 8 or 25 Hz, both drawn; the label is the pair."""
    mne, av = pytest.importorskip("mne"), pytest.importorskip("av")
    folder.mkdir()
    lines = ["trial_id,subject,label,interval_labels,eeg,video,t0_eeg_s,t0_video_s,seconds"]
    for subject in range(subjects):
        rng = np.random.default_rng(subject)
        shown, heard = rng.integers(0, 2, (2, each, INTERVALS))
        time = np.arange(2 * RATE) / RATE
        waves = np.stack([np.sin(2 * np.pi * hertz * time) for hertz in (8, 25)])
        eeg = 10 * rng.standard_normal((3, each * INTERVALS * 2 * RATE))
        eeg[2] += 15 * waves[heard.ravel()].ravel()
        raw = mne.io.RawArray(eeg * 1e-6, mne.create_info(["Fz", "Cz", "Oz"], float(RATE), "eeg"), verbose="error")
        raw.save(folder / f"s{subject}_raw.fif", verbose="error")
        for trial in range(each):
            name = f"s{subject}t{trial:02d}"
            with av.open(str(folder / f"{name}.mp4"), "w") as target:
                stream = target.add_stream("mpeg4", rate=FPS)
                stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
                for grey in [0] * FPS + np.repeat(40 + 170 * shown[trial], 2 * FPS).tolist():
                    picture = np.full((16, 16, 3), grey, dtype=np.uint8)
                    target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                target.mux(stream.encode())
            words = [
                f"{('dark', 'bright')[a]} {('slow', 'fast')[b]}"
                for a, b in zip(shown[trial], heard[trial], strict=True)
            ]
            start = trial * INTERVALS * 2.0
            lines.append(f"{name},s{subject},any,{'|'.join(words)},s{subject}_raw.fif,{name}.mp4,{start},1.0,8.0")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.slow
def test_only_a_model_that_looks_at_its_own_interval_can_tell_both_halves(tmp_path: Path, monkeypatch) -> None:
    """own > all > shift, and shift no better than EEG alone: of recorded .fif files and films."""
    from ablate.model.fusion.model import FusionConfig
    from ablate.training import TrainingConfig, evaluate, fit, seeded

    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    config = TrialsConfig(path=str(planted(tmp_path / "trials")), layout="mne", frames=2, image_size=16)
    data = config.open(CPU)
    assert (data.spec.classes, data.spec.labels_per) == (4, "interval")
    training = TrainingConfig(
        steps=200, batch_size=16, learning_rate=4e-3, warmup_steps=20, evaluate_every=100, ema=0.9
    )
    scores = {}
    gated = {"type": "gated_cross_attention", "gate_init": 1.0}
    for name, fusion in {
        "none": {"type": "none"},
        **{m: {**gated, "mask": m} for m in ("own", "shift", "all")},
    }.items():
        model = FusionConfig.model_validate(
            {
                "embedding_dim": 16,
                "video": {"type": "small_vit", "patch_size": 8, "width": 16, "frozen": True, "weights_seed": 0},
                "mixer": {"type": "none"},
                "compressor": {"type": "mean"},
                "eeg": {"type": "eegnet", "kernel_size": 25},
                "fusion": fusion,
            }
        )
        with seeded(0):
            built = model.build(data.spec)
        fit(built, data, training, seed=0, device=CPU)
        scores[name] = evaluate(built, data, "test", batch_size=16, device=CPU)[0]
    accuracy = {name: score.accuracy for name, score in scores.items()}
    assert accuracy["own"] > 0.95, accuracy
    assert accuracy["own"] - 0.05 > accuracy["all"] > accuracy["shift"] + 0.15, accuracy
    assert accuracy["shift"] == pytest.approx(0.5, abs=0.15), accuracy  # the EEG's half, and a coin for the film's
    assert accuracy["none"] == pytest.approx(0.5, abs=0.15), accuracy
