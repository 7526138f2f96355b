"""The native folder of trials: read back what was written, and every mistake told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from ablate.data import DataConfig
from ablate.data.trials import TrialsConfig
from ablate.data.trials.layout.native import read_folder, write_folder
from ablate.errors import AblateError
from ablate.model.fusion.model import FusionConfig

CPU = torch.device("cpu")
META = {"eeg_rate_hz": 100.0, "channel_names": ["Fz", "Cz", "Pz"], "units": "uV", "interval_s": 2.0}


def trial(index: int, *, kind: str = "features", subjects: int = 3, samples: int = 800) -> dict[str, Any]:
    """Four intervals of 2 s; the number of frames differs from trial to trial, pads hold NaN."""
    rng = np.random.default_rng(index)
    most = 3 + index % 2
    mask = np.arange(most) < rng.integers(1, most + 1, 4)[:, None]
    frame_t = np.arange(4)[:, None] * 2.0 + np.arange(most) * 0.4 + 0.1
    told: dict[str, Any] = {
        "trial_id": f"t{index:03d}",
        "subject": f"s{index % subjects}",
        "session": "a",
        "label": ["calm", "happy"][index % 5 % 2],
        "eeg": (20 * rng.standard_normal((3, samples))).astype(np.float32),
        "frame_mask": mask,
        "frame_t": frame_t,
        "t0_eeg_s": 10.0,
        "t0_video_s": 10.0,
    }
    if kind == "features":
        told["features"] = np.where(mask[..., None], rng.standard_normal((4, most, 5)), np.nan).astype(np.float32)
    else:
        told["video"] = rng.integers(0, 256, (4, most, 8, 6, 3), dtype=np.uint8)
    return told


def written(folder: Path, trials: list[dict[str, Any]] | None = None, **meta: Any) -> Path:
    write_folder(folder, {**META, **meta}, trials if trials is not None else [trial(index) for index in range(30)])
    return folder


def problem(folder: Path) -> str:
    with pytest.raises(AblateError) as told:
        TrialsConfig(path=str(folder)).open(CPU)
    return "\n".join(f"{Path(p.where).name}: {p.what}" for p in told.value.problems)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    table = read_folder(written(tmp_path), None)
    assert (table.intervals, table.frames, table.frame_shape, table.seconds) == (4, 4, (5,), 8.0)
    assert table.rows[0].recording.channels == ("Fz", "Cz", "Pz")
    assert table.subjects == ("s0", "s1", "s2")
    assert table.labels == ("calm", "happy")
    source = trial(7)
    row = table.rows[7]
    assert np.array_equal(row.eeg(), source["eeg"])
    frames, mask = row.frames()
    assert np.array_equal(frames, source["features"], equal_nan=True)
    assert np.array_equal(mask, source["frame_mask"])
    assert np.array_equal(row.mask(), mask)


def test_a_fusion_model_runs_on_it_with_nan_in_the_pads(tmp_path: Path) -> None:
    config = TypeAdapter(DataConfig).validate_python({"type": "trials", "path": str(written(tmp_path))})
    data = config.open(CPU)
    assert data.spec.session_names == ("s0", "s1", "s2")
    assert data.spec.labels_per == "trial"
    assert data.attainable("test") is None
    batch = next(data.train(seed=0, batch_size=8))
    assert batch.frames.shape == (8, 4, 4, 5)
    assert torch.isnan(batch.frames).any()
    model = FusionConfig.model_validate({"embedding_dim": 8}).build(data.spec)
    out = torch.cat(model(batch))
    assert out.shape == (8, 1, 2)
    assert torch.isfinite(out).all()


def test_pixels_come_channel_first_with_content_keys(tmp_path: Path) -> None:
    trials = [trial(index, kind="video") for index in range(12)]
    data = TrialsConfig(path=str(written(tmp_path, trials))).open(CPU)
    assert data.spec.frame_shape == (3, 8, 6)
    split = data.splits["train"]
    batch = data.batch("train", np.arange(2))
    first = int(np.argsort(split.session[:2], kind="stable")[0])
    source = trials[int(split.trial_ids[first][1:])]["video"]
    assert np.array_equal(batch.frames[0, 1, 0].numpy(), np.moveaxis(source[1, 0], -1, 0))
    assert batch.frame_keys is not None
    assert len(np.unique(batch.frame_keys[batch.frame_mask].numpy(), axis=0)) == int(batch.frame_mask.sum())
    poisoned = TrialsConfig(path=str(tmp_path), poison_pads=True).open(CPU).batch("train", np.arange(2))
    assert torch.isnan(poisoned.frames[~poisoned.frame_mask]).all()
    assert torch.equal(poisoned.frame_keys, batch.frame_keys)  # type: ignore[arg-type]


def test_a_trial_without_video_is_legal(tmp_path: Path) -> None:
    trials = [trial(index) for index in range(12)]
    for name in ("features", "frame_mask", "frame_t"):
        del trials[4][name]
    table = read_folder(written(tmp_path, trials), None)
    frames, mask = table.rows[4].frames()
    assert frames.shape == (4, 4, 5)
    assert not mask.any()


def test_hdf5_is_read_like_npz(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    written(tmp_path)
    with h5py.File(tmp_path / "t003.h5", "w") as file, np.load(tmp_path / "t003.npz") as arrays:
        for name in arrays:
            file[name] = arrays[name]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("t003.npz", "t003.h5"))
    row = read_folder(tmp_path, None).rows[3]
    assert np.array_equal(row.eeg(), trial(3)["eeg"])
    assert np.array_equal(row.mask(), trial(3)["frame_mask"])


def test_one_sample_too_many_is_cut_and_units_become_microvolts(tmp_path: Path) -> None:
    trials = [trial(index, samples=801) for index in range(12)]
    for told in trials:
        told["eeg"] = told["eeg"] * 1e-6
    config = TrialsConfig(path=str(written(tmp_path, trials, units="V")))
    eeg = config.checked().signal.read(config.read_table().rows[0])
    assert eeg.shape == (3, 800)
    np.testing.assert_allclose(eeg, trials[0]["eeg"][:, :800] * 1e6, rtol=1e-6)


@pytest.mark.parametrize("split", ["trial", "subject"])
def test_splits_are_seeded_keep_groups_together_and_leave_none_out(tmp_path: Path, split: Any) -> None:
    folder = written(tmp_path, [trial(index, subjects=5) for index in range(30)])
    config = TrialsConfig(path=str(folder), split=split)
    table = config.read_table()
    drawn = config.rows_of(table)
    assert sum(len(rows) for rows in drawn.values()) == 30
    again = TrialsConfig(path=str(folder), split=split).rows_of(table)
    other = TrialsConfig(path=str(folder), split=split, split_seed=1).rows_of(table)
    ids = {name: [row.trial_id for row in rows] for name, rows in drawn.items()}
    assert ids == {name: [row.trial_id for row in rows] for name, rows in again.items()}
    assert ids != {name: [row.trial_id for row in rows] for name, rows in other.items()}
    if split == "subject":
        subjects = [{row.subject for row in rows} for rows in drawn.values()]
        assert sum(len(group) for group in subjects) == 5


def test_too_few_subjects_are_told(tmp_path: Path) -> None:
    folder = written(tmp_path, [trial(index, subjects=2) for index in range(12)])
    with pytest.raises(AblateError, match="2 subjects are too few for train, validation and test"):
        TrialsConfig(path=str(folder), split="subject").open(CPU)


def test_a_rehearsal_reads_few_trials(tmp_path: Path) -> None:
    data = TrialsConfig(path=str(written(tmp_path, [trial(i) for i in range(60)]))).rehearsal().open(CPU)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 8, "validation": 8, "test": 8}


def test_resampling_keeps_the_slow_and_drops_the_fast(tmp_path: Path) -> None:
    trials = [trial(index) for index in range(12)]
    time = np.arange(800) / 100
    for index, one in enumerate(trials):
        one["eeg"][:] = np.sin(2 * np.pi * 2 * time) + np.sin(2 * np.pi * 45 * time + index)
    data = TrialsConfig(path=str(written(tmp_path, trials)), resample_hz=25.0).open(CPU)
    assert data.spec.eeg_samples == 200
    slow = np.sin(2 * np.pi * 2 * time[::4])
    assert np.corrcoef(data.splits["train"].eeg[0, 0], slow)[0, 1] > 0.99
    with pytest.raises(AblateError, match=r"an interval of 2 s at 33\.3 Hz has 66\.6 samples, no whole number"):
        TrialsConfig(path=str(tmp_path), resample_hz=33.3).open(CPU)


def test_missing_files_are_told(tmp_path: Path) -> None:
    assert "there is no folder" in problem(tmp_path / "nowhere")
    assert problem(tmp_path) == "meta.yaml: cannot be read: FileNotFoundError"
    written(tmp_path)
    (tmp_path / "manifest.csv").unlink()
    assert problem(tmp_path) == "manifest.csv: cannot be read: FileNotFoundError"


def test_every_problem_of_the_manifest_is_told_with_its_line(tmp_path: Path) -> None:
    manifest = written(tmp_path) / "manifest.csv"
    lines = manifest.read_text().splitlines()
    lines[3] = lines[3].replace("t002,", "t001,")
    lines[5] = lines[5].replace("t004.npz", "gone.npz")
    lines[7] = lines[7].replace("10.0", "soon", 1)
    manifest.write_text("\n".join(lines))
    assert problem(tmp_path).splitlines() == [
        "manifest.csv:4: trial `t001` stands here twice (first in line 3)",
        "manifest.csv:6: there is no file gone.npz",
        "manifest.csv:8: t0_eeg_s is `soon`, no number",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"eeg": np.ones((3, 790))}, "EEG of shape (3, 790), expected (3 channels, 800 samples)"),
        ({"eeg": np.full((3, 800), np.nan)}, "the EEG holds NaN or infinity"),
        ({"eeg": 1e-5 * np.random.default_rng(0).standard_normal((3, 800))}, "standard deviation of 1e-05 microvolts"),
        ({"frame_t": trial(1)["frame_t"] + 1.9}, "frame 1 of interval 0 was shown 2.400 s"),
        ({"t0_video_s": 13.0}, "frame 0 of interval 0 was shown 3.100 s after the first EEG sample, outside [0, 2)"),
        ({"frame_mask": np.ones((4, 2), dtype=bool)}, "frame_mask of shape (4, 2) and type bool for frames (4, 4)"),
        ({"features": np.zeros((4, 4))}, "features of shape (4, 4), expected (i, f, d)"),
        ({"features": np.zeros((4, 4, 6))}, "frames of shape (6,), those of trial `t000` have (5,)"),
        ({"features": np.zeros((3, 4, 5))}, "3 intervals, trial `t000` has 4"),
    ],
)
def test_a_wrong_trial_is_told(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    trials = [trial(index) for index in range(12)]
    trials[1] = {**trials[1], **change}
    if "frame_t" in change:
        trials[1]["frame_mask"] = np.ones_like(trials[1]["frame_mask"])
    assert expected in problem(written(tmp_path, trials))


def test_a_wrong_header_is_told(tmp_path: Path) -> None:
    assert problem(written(tmp_path, units="volts")) == "meta.yaml: units `volts` are unknown"
    (tmp_path / "meta.yaml").write_text("units: V\n")
    assert problem(tmp_path) == "meta.yaml: without eeg_rate_hz, channel_names, interval_s"
    written(tmp_path)
    (tmp_path / "manifest.csv").write_text("trial_id,subject\n")
    assert problem(tmp_path).startswith("manifest.csv: without the columns session, label, eeg")
    (tmp_path / "t000.npz").write_bytes(b"no archive")
    written_again = tmp_path / "manifest.csv"
    written(tmp_path)
    (tmp_path / "t000.npz").write_bytes(b"no archive")
    assert written_again.is_file()
    assert problem(tmp_path).startswith("t000.npz: cannot be read")
