"""The folders of EAV, SEED-DV and MNE, on small files of the true shape."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from ablate.data.trials import TrialsConfig
from ablate.data.trials.layout.frames.film import FilmStyle, Stretch, read_frames, read_mask
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
    config = TrialsConfig(path=str(tmp_path), layout="eav", resample_hz=100.0, most_absent=1.0)
    table = config.read_table()
    recording = table.rows[7].recording
    assert (len(table.rows), len(recording.channels), recording.rate_hz, table.intervals) == (20, 30, 500, 2)
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
        TrialsConfig(path=str(tmp_path), layout="eav").checked()
    savemat(tmp_path / "subject1_eeg.mat", {"other": np.zeros(3)})
    with pytest.raises(AblateError, match="holds neither `seg1` nor `seg`"):
        TrialsConfig(path=str(tmp_path), layout="eav").checked()
    savemat(tmp_path / "subject2_eeg.mat", {"seg": np.zeros((30, 100, 4))})
    (tmp_path / "subject1_eeg.mat").unlink()
    with pytest.raises(AblateError, match=r"`seg` of shape \(30, 100, 4\) and type float64, expected"):
        TrialsConfig(path=str(tmp_path), layout="eav").checked()


CONCEPTS = np.array([[3, 1, 4, 2], [2, 4, 1, 3]])  # each block shows them in an order of its own


def seed_dv(folder: Path, name: str | None = "features.npy") -> np.ndarray:
    """SEED-DV's axes with 2 blocks and 4 concepts instead of 7 and 40."""
    rng = np.random.default_rng(0)
    eeg = (10 * rng.standard_normal((2, 4, 5, 62, 400))).astype(np.float32)
    for subject in (1, 2):
        np.save(folder / f"sub{subject}.npy", eeg + subject)
    (folder / "meta-info").mkdir()
    np.save(folder / "meta-info" / "All_video_label.npy", CONCEPTS)
    if name is not None:
        shape = (2, 4, 5, 3, 7) if name == "features.npy" else (2, 4, 5, 3, 8, 8, 3)
        np.save(folder / name, rng.integers(0, 255, shape).astype(np.uint8 if len(shape) == 7 else np.float32))
    return eeg


@pytest.mark.parametrize("name", ["features.npy", "video.npy"])
def test_seed_dv_is_exactly_five_chunks_of_two_seconds(tmp_path: Path, name: str) -> None:
    eeg = seed_dv(tmp_path, name)
    config = TrialsConfig(path=str(tmp_path), layout="seed_dv")
    table = config.read_table()
    assert (len(table.rows), table.intervals, table.interval_s, table.seconds) == (16, 5, 2.0, 10.0)
    row = next(row for row in table.rows if row.trial_id == "sub2_block1_place03")
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
        TrialsConfig(path=str(tmp_path), layout="seed_dv", interval_s=1.0).checked()
    np.save(tmp_path / "sub3.npy", np.zeros((2, 4, 5, 400, 62), dtype=np.float32))
    with pytest.raises(AblateError, match=r"expected \(2, 4, 5, 62, 400\) or \(2, 62, 10400\)"):
        TrialsConfig(path=str(tmp_path), layout="seed_dv").checked()


def test_the_place_in_a_seed_dv_block_is_no_label(tmp_path: Path) -> None:
    """A reader that took the place for the concept gave one label to seven different concepts."""
    seed_dv(tmp_path)
    rows = TrialsConfig(path=str(tmp_path), layout="seed_dv").read_table().rows
    told = {row.trial_id: row.label for row in rows}
    for block in range(2):
        for place in range(4):
            assert told[f"sub1_block{block}_place{place:02d}"] == f"concept_{CONCEPTS[block, place]:02d}"
    (tmp_path / "meta-info" / "All_video_label.npy").unlink()
    with pytest.raises(AblateError, match=r"there is no All_video_label\.npy"):
        TrialsConfig(path=str(tmp_path), layout="seed_dv").checked()


def test_a_seed_dv_clip_that_all_subjects_saw_is_in_one_split(tmp_path: Path) -> None:
    seed_dv(tmp_path)
    config = TrialsConfig(path=str(tmp_path), layout="seed_dv")
    held = {name: {row.stimulus for row in rows} for name, rows in config.rows_of(config.read_table()).items()}
    assert all(held.values())
    assert not held["train"] & held["test"]
    assert not held["train"] & held["validation"]
    assert not held["validation"] & held["test"]


def test_seed_dv_as_recorded_is_cut_after_the_hint(tmp_path: Path) -> None:
    eeg = seed_dv(tmp_path)
    recorded = np.full((2, 62, 4 * 2600), 1e6, dtype=np.float32)  # a place: 3 s of hint, then 5 clips of 2 s, at 200 Hz
    for place in range(4):
        clips = eeg[:, place].transpose(0, 2, 1, 3).reshape(2, 62, 2000)
        recorded[:, :, place * 2600 + 600 : (place + 1) * 2600] = clips
    np.save(tmp_path / "sub3.npy", recorded)
    rows = {row.trial_id: row for row in TrialsConfig(path=str(tmp_path), layout="seed_dv").read_table().rows}
    np.testing.assert_allclose(rows["sub3_block1_place02"].eeg(), rows["sub1_block1_place02"].eeg() - 1, atol=1e-5)


def test_frames_go_where_their_timestamps_say_not_where_counting_would() -> None:
    times = np.array([2.9, 3.0, 3.9, 4.99, 5.0, 5.1, 9.5, 11.0])  # the film dropped frames; nothing in interval 2
    slots = Stretch(Path("film.mp4"), start=3.0, intervals=4, interval_s=2.0).slots(times, frames=2)
    assert slots.tolist() == [-1, 0, 0, 1, 2, 2, 6, -1]


def film(file: Path, greys: list[int], rate: int = 10) -> None:
    """A film of one grey a frame, made by PyAV; the test is skipped where that is missing."""
    av = pytest.importorskip("av")
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as opened:
        stream = opened.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for grey in greys:
            picture = av.VideoFrame.from_ndarray(np.full((32, 48, 3), grey, dtype=np.uint8), format="rgb24")
            opened.mux(stream.encode(picture))
        opened.mux(stream.encode())


def test_a_films_slots_are_known_without_decoding_and_hold_the_first_frame_of_each(tmp_path: Path) -> None:
    greys = [37 * index % 256 for index in range(100)]  # 10 s at 10 Hz, each frame far from its neighbours
    film(tmp_path / "film.mp4", greys)
    stretch, style = Stretch(tmp_path / "film.mp4", 3.0, intervals=4, interval_s=2.0), FilmStyle(frames=4, size=16)
    frames, mask = read_frames(stretch, style)
    assert frames.shape == (4, 4, 16, 16, 3)
    assert np.array_equal(mask, read_mask(stretch, style))
    assert mask.tolist() == [[True] * 4] * 3 + [[True, True, False, False]]  # the film ends after 7 of the 8 s
    expected = [greys[30 + 5 * slot] for slot in range(14)]
    np.testing.assert_allclose(frames[mask].mean(axis=(1, 2, 3)), expected, atol=5)  # films lose a little
    fewer = FilmStyle(frames=40, size=16)
    frames, mask = read_frames(stretch, fewer)  # more slots than frames: pads between them
    assert mask.sum() == 70
    assert np.array_equal(mask, read_mask(stretch, fewer))


def test_a_film_that_is_none_is_told(tmp_path: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "film.mp4").write_bytes(b"no film at all" * 50)
    with pytest.raises(AblateError, match="cannot be decoded"):
        read_mask(Stretch(tmp_path / "film.mp4", 0.0, 1, 2.0), FilmStyle(4, 16))


TASKS = [f"{task}_{emotion}" for emotion in ("Neutral", "Sadness", "Anger", "Happiness", "Calmness")
         for task in ("Listening", "Speaking")]  # fmt: skip


def eav_films(folder: Path, missing: tuple[int, ...] = (), swapped: bool = False) -> None:
    """The 4 s films of EAV's subject 1: trial n is as grey as 10 n, brighter by 3 in the second interval."""
    for trial in range(20):
        if trial + 1 not in missing:
            task = TASKS[(trial + 1 if swapped and trial > 15 else trial) % 10]
            name = f"{trial + 1:03d}_Trial_{trial // 2 + 1:02d}_{task}.mp4"
            film(folder / "subject1" / "Video" / name, [10 * trial] * 20 + [10 * trial + 3] * 20)


def test_eav_films_are_read_by_their_trials_number(tmp_path: Path) -> None:
    eav(tmp_path)
    eav_films(tmp_path, missing=(5,))
    config = TrialsConfig(path=str(tmp_path), layout="eav", frames=3, image_size=16)
    table = config.read_table()
    assert (table.intervals, table.frames, table.frame_shape) == (2, 3, (3, 16, 16))
    for trial in (0, 7, 19):
        frames, mask = table.rows[trial].frames()
        assert mask.all()
        np.testing.assert_allclose(frames.mean(axis=(1, 2, 3, 4)), [10 * trial, 10 * trial + 3], atol=2)
    assert not table.rows[4].mask().any()  # a missing film is an absent one, not an error
    assert not table.rows[4].frames()[1].any()
    batch = next(config.open(CPU).sweep("test", batch_size=4))
    assert batch.frames.shape[1:] == (2, 3, 3, 16, 16)
    assert batch.frames.dtype == torch.uint8


def test_eav_films_of_another_subject_are_told(tmp_path: Path) -> None:
    eav(tmp_path)
    eav_films(tmp_path, swapped=True)
    with pytest.raises(AblateError, match=r"Speaking_Happiness\.mp4 does not fit trial 17's label"):
        TrialsConfig(path=str(tmp_path), layout="eav").checked()


def test_seed_dv_films_are_cut_after_the_hint(tmp_path: Path) -> None:
    seed_dv(tmp_path, None)
    with pytest.raises(AblateError, match="nor a film of each of 2 blocks"):
        TrialsConfig(path=str(tmp_path), layout="seed_dv").checked()
    for block, name in enumerate(("1st", "2nd")):  # a place: 3 s of hint, then the clips, each of one grey
        greys = [grey for place in range(4) for grey in [255] * 12 + [20 * place + 3 * c + 100 * block
                 for c in range(5) for _ in range(8)]]  # fmt: skip
        film(tmp_path / "Video" / f"{name}_10min.mp4", greys, rate=4)
    config = TrialsConfig(path=str(tmp_path), layout="seed_dv", frames=2, image_size=8)
    row = next(row for row in config.read_table().rows if row.trial_id == "sub2_block1_place03")
    frames, mask = row.frames()
    assert mask.all()
    assert np.array_equal(mask, row.mask())
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3, 4)), [160 + 3 * clip for clip in range(5)], atol=2)


@pytest.mark.parametrize("suffix", [".fif", ".bdf"])
def test_mne_files_and_a_film_are_matched_by_time(tmp_path: Path, suffix: str) -> None:
    mne = pytest.importorskip("mne")
    rng = np.random.default_rng(0)
    signal = 20 * rng.standard_normal((2, 4000))
    if suffix == ".fif":
        info = mne.create_info(["Fz", "Cz"], 100.0, "eeg")
        mne.io.RawArray(1e-6 * signal, info, verbose="error").save(tmp_path / "a_raw.fif", verbose="error")
    else:
        write_bdf(tmp_path / "a_raw.bdf", ["Fz", "Cz"], signal, rate=100)
    film(tmp_path / "film.mp4", [8 * (index // 20) for index in range(400)])  # one grey a 2 s interval
    lines = ["trial_id,subject,label,eeg,video,t0_eeg_s,t0_video_s,seconds"]
    lines += [f"t{n},s0,{n % 2},a_raw{suffix},{'film.mp4' if n else ''},{3 + 4 * n},{4 * n},4" for n in range(9)]
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    config = TrialsConfig(path=str(tmp_path), layout="mne", frames=5, image_size=16)
    table = config.read_table()
    np.testing.assert_allclose(table.rows[2].eeg(), signal[:, 1100:1500], rtol=1e-3, atol=0.04)  # BDF's step is 1/32
    frames, mask = table.rows[2].frames()
    assert mask.shape == (2, 5)
    assert mask.all()
    np.testing.assert_allclose(frames.mean(axis=(1, 2, 3, 4)), [32, 40], atol=4)
    assert not table.rows[0].mask().any()  # no film: an empty cell
    assert next(config.open(CPU).sweep("test", batch_size=2)).frames.shape[1:] == (2, 5, 3, 16, 16)


def write_bdf(file: Path, names: list[str], microvolts: np.ndarray, *, rate: int) -> None:
    """BioSemi's format (24-bit EDF) as its specification says: a header in ASCII, then a record a second."""
    count, seconds = len(names), microvolts.shape[1] // rate
    low, high = -8388608, 8388607  # of 24 bits; physical limits of 0.03125 microvolts a step

    def fields(values: list[object], width: int) -> bytes:
        return b"".join(str(value).ljust(width).encode() for value in values)

    head = b"\xffBIOSEMI" + fields(["", ""], 80) + fields(["01.01.20", "00.00.00", 256 * (1 + count)], 8)
    head += fields(["24BIT"], 44) + fields([seconds, 1], 8) + fields([count], 4) + fields(list(names), 16)
    head += fields(["active electrode"] * count, 80) + fields(["uV"] * count, 8)
    head += fields([-262144] * count, 8) + fields([262144] * count, 8)
    head += fields([low] * count, 8) + fields([high] * count, 8)
    head += fields([""] * count, 80) + fields([rate] * count, 8) + fields([""] * count, 32)
    steps = np.clip(np.round(microvolts * 32), low, high).astype("<i4")
    records = steps.reshape(count, seconds, rate).transpose(1, 0, 2)
    body = np.ascontiguousarray(records).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    file.write_bytes(head + body)
