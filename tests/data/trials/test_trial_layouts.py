"""The folders of EAV, SEED-DV and MNE, on small files of the true shape."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from ablate.data.trials import TrialsConfig
from ablate.data.trials.layout.table import by_interval
from ablate.errors import AblateError

CPU = torch.device("cpu")


def eav(folder: Path, key: str = "seg1", subjects: int = 1) -> None:
    """Files of EAV's axes (time, channel, trial), 4 s instead of 20."""
    for number in range(1, subjects + 1):
        rng = np.random.default_rng(number)
        (folder / f"subject{number}" / "EEG").mkdir(parents=True)
        eeg = 15 * rng.standard_normal((2000, 30, 20))
        eeg[:, 0] += 100 * np.arange(20)
        savemat(folder / f"subject{number}" / "EEG" / f"subject{number}_eeg.mat", {key: eeg})
        labels = np.eye(10)[:, np.arange(20) % 10]
        savemat(folder / f"subject{number}" / "EEG" / f"subject{number}_eeg_label.mat", {"label": labels})


@pytest.mark.parametrize("key", ["seg1", "seg"])
def test_eav_axes_are_time_channel_trial_at_500_hz(tmp_path: Path, key: str) -> None:
    eav(tmp_path, key)
    config = TrialsConfig(path=str(tmp_path), layout="eav", decimate=5)
    table = config.table()
    assert (len(table.rows), len(table.channels), table.rate_hz, table.intervals) == (20, 30, 500, 2)
    assert table.rows[7].eeg().shape == (30, 2000)
    assert table.rows[7].eeg()[0].mean() == pytest.approx(700, abs=2)
    assert table.rows[7].label == "7"
    data = config.open(CPU)
    assert data.spec.eeg_samples == 400
    assert data.spec.classes == 10
    assert not next(data.sweep("test", batch_size=4)).frame_mask.any()


def test_eav_features_beside_the_eeg_are_read(tmp_path: Path) -> None:
    eav(tmp_path)
    features = np.random.default_rng(0).standard_normal((20, 2, 3, 6))
    np.savez(
        tmp_path / "subject1" / "EEG" / "subject1_features.npz", features=features, frame_mask=np.ones((20, 2, 3), bool)
    )
    batch = next(TrialsConfig(path=str(tmp_path), layout="eav").open(CPU).sweep("test", batch_size=4))
    assert batch.frames.shape[1:] == (2, 3, 6)
    assert batch.frame_mask.all()


def test_eav_files_of_another_shape_are_told(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="there is no subjectN_eeg"):
        TrialsConfig(path=str(tmp_path), layout="eav").table()
    savemat(tmp_path / "subject1_eeg.mat", {"other": np.zeros(3)})
    with pytest.raises(AblateError, match="holds neither `seg1` nor `seg`"):
        TrialsConfig(path=str(tmp_path), layout="eav").table()
    savemat(tmp_path / "subject2_eeg.mat", {"seg": np.zeros((30, 100, 4))})
    (tmp_path / "subject1_eeg.mat").unlink()
    with pytest.raises(AblateError, match=r"`seg` of shape \(30, 100, 4\), expected"):
        TrialsConfig(path=str(tmp_path), layout="eav").table()


def seed_dv(folder: Path, name: str = "features.npy") -> np.ndarray:
    """SEED-DV's axes with 2 blocks and 4 concepts instead of 7 and 40."""
    rng = np.random.default_rng(0)
    eeg = (10 * rng.standard_normal((2, 4, 5, 62, 400))).astype(np.float32)
    for subject in (1, 2):
        np.save(folder / f"sub{subject}.npy", eeg + subject)
    shape = (2, 4, 5, 3, 7) if name == "features.npy" else (2, 4, 5, 3, 8, 8, 3)
    np.save(folder / name, rng.integers(0, 255, shape).astype(np.uint8 if len(shape) == 7 else np.float32))
    return eeg


@pytest.mark.parametrize("name", ["features.npy", "video.npy"])
def test_seed_dv_is_exactly_five_chunks_of_two_seconds(tmp_path: Path, name: str) -> None:
    eeg = seed_dv(tmp_path, name)
    config = TrialsConfig(path=str(tmp_path), layout="seed_dv")
    table = config.table()
    assert (len(table.rows), table.intervals, table.interval_s, table.samples) == (16, 5, 2.0, 2000)
    row = next(row for row in table.rows if row.trial_id == "sub2_block1_concept03")
    np.testing.assert_allclose(row.eeg()[:, 400:800], eeg[1, 3, 1] + 2)
    assert row.label == "concept_03"
    frames, mask = row.frames()
    assert np.array_equal(frames, np.load(tmp_path / name)[1, 3])
    assert mask.all()
    shape = config.open(CPU).spec.frame_shape
    assert shape == ((7,) if name == "features.npy" else (3, 8, 8))


def test_seed_dv_files_of_another_shape_are_told(tmp_path: Path) -> None:
    seed_dv(tmp_path)
    with pytest.raises(AblateError, match="interval_s is 1"):
        TrialsConfig(path=str(tmp_path), layout="seed_dv", interval_s=1.0).table()
    np.save(tmp_path / "sub3.npy", np.zeros((2, 4, 5, 400, 62), dtype=np.float32))
    with pytest.raises(AblateError, match=r"expected \(7, 40, 5, 62, 400\)"):
        TrialsConfig(path=str(tmp_path), layout="seed_dv").table()


def test_frames_go_where_their_timestamps_say_not_where_counting_would() -> None:
    seconds = np.array([-0.1, 0.0, 0.9, 1.99, 2.0, 2.1, 6.5, 8.0])  # the film dropped frames; nothing in interval 2
    frames, mask = by_interval(np.arange(8)[:, None], seconds, intervals=4, interval_s=2.0)
    assert mask.tolist() == [[True] * 3, [True, True, False], [False] * 3, [True, False, False]]
    assert frames[..., 0][mask].tolist() == [1, 2, 3, 4, 5, 6]


def test_mne_files_and_a_film_are_matched_by_time(tmp_path: Path) -> None:
    mne, av = pytest.importorskip("mne"), pytest.importorskip("av")
    rng = np.random.default_rng(0)
    info = mne.create_info(["Fz", "Cz"], 100.0, "eeg")
    signal = 2e-5 * rng.standard_normal((2, 4000))
    mne.io.RawArray(signal, info, verbose="error").save(tmp_path / "a_raw.fif", verbose="error")
    with av.open(str(tmp_path / "film.mp4"), "w") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for index in range(400):
            picture = np.full((32, 32, 3), 8 * (index // 20), dtype=np.uint8)  # one grey a 2 s interval
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                film.mux(packet)
        for packet in stream.encode():
            film.mux(packet)
    lines = ["trial_id,subject,label,eeg,video,t0_eeg_s,t0_video_s,seconds"]
    lines += [f"t{n},s0,{n % 2},a_raw.fif,film.mp4,{3 + 4 * n},{4 * n},4" for n in range(9)]
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    table = TrialsConfig(path=str(tmp_path), layout="mne").table()
    np.testing.assert_allclose(table.rows[2].eeg(), signal[:, 1100:1500] * 1e6, rtol=1e-3, atol=1e-3)
    frames, mask = table.rows[2].frames()
    assert mask.shape == (2, 20)
    assert mask.all()
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3, 4)), [32, 40], atol=4)
