"""Folders of trials as people have them, small: the sound one from which each test plants its faults."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import savemat

from ablate.data.trials import TrialsConfig
from ablate.data.trials.layout.native import write_folder
from ablate.data.trials.opened.dataset import TrialDataset
from ablate.errors import AblateError, Problem

CPU = torch.device("cpu")
NAMES = ["Fz", "Cz", "Pz", "Oz"]
META = {"eeg_rate_hz": 100.0, "channel_names": NAMES, "units": "uV", "interval_s": 2.0}


def trials_of(
    subjects: int = 4, each: int = 6, change: Callable[[dict[str, Any], int], None] | None = None
) -> list[dict[str, Any]]:
    """Two intervals of 2 s with three frames; `change` plants something in a trial, by its index."""
    made = []
    for index in range(subjects * each):
        rng = np.random.default_rng(index)
        one: dict[str, Any] = {
            "trial_id": f"t{index:03d}",
            "subject": f"s{index // each}",
            "session": "a",
            "label": ["calm", "happy"][index % 2],
            "eeg": (20 * rng.standard_normal((len(NAMES), 400))).astype(np.float32),
            "features": rng.standard_normal((2, 3, 5)).astype(np.float32),
            "frame_mask": np.ones((2, 3), dtype=bool),
            "frame_t": np.arange(2)[:, None] * 2.0 + np.arange(3) * 0.6,
            "t0_eeg_s": 10.0,
            "t0_video_s": 10.0,
        }
        if change is not None:
            change(one, index)
        made.append(one)
    return made


def native(folder: Path, trials: Sequence[dict[str, Any]] | None = None, **meta: Any) -> Path:
    write_folder(folder, {**META, **meta}, trials_of() if trials is None else trials)
    return folder


def edited(file: Path, old: str, new: str) -> None:
    """A text file with one thing in it replaced."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def opened(folder: Path, **options: Any) -> TrialDataset:
    return TrialsConfig(path=str(folder), **options).open(CPU)


def problems(folder: Path, **options: Any) -> tuple[Problem, ...]:
    """What is said of a folder with faults."""
    with pytest.raises(AblateError) as raised:
        opened(folder, **options)
    return raised.value.problems


def said(folder: Path, **options: Any) -> str:
    """The same as one text, without the folder's own path."""
    return "\n".join(f"{one.where}: {one.what} [{one.hint}]" for one in problems(folder, **options)).replace(
        f"{folder}/", ""
    )


def video(one: dict[str, Any], pixels: np.ndarray) -> None:
    """Gives a trial pixels in the place of features."""
    del one["features"]
    one["video"] = pixels


def film(file: Path, greys: list[int], rate: int = 10) -> None:
    """A film of one grey a frame, made by PyAV; the test is skipped where that is missing."""
    av = pytest.importorskip("av")
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w") as target:
        stream = target.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for grey in greys:
            picture = av.VideoFrame.from_ndarray(np.full((32, 48, 3), grey, dtype=np.uint8), format="rgb24")
            target.mux(stream.encode(picture))
        target.mux(stream.encode())


def fif(
    file: Path, names: list[str] = NAMES, rate: float = 100.0, seconds: int = 60, seed: int = 0, **more: Any
) -> np.ndarray:
    """A .fif recording of noise; gives its microvolts. more: bads, montage, eeg (the microvolts themselves)."""
    mne = pytest.importorskip("mne")
    eeg = more.get("eeg")
    if eeg is None:
        eeg = 20 * np.random.default_rng(seed).standard_normal((len(names), round(seconds * rate)))
    info = mne.create_info(names, rate, "eeg")
    info["bads"] = more.get("bads", [])
    raw = mne.io.RawArray(1e-6 * eeg, info, verbose="error")
    if "montage" in more:
        raw.set_montage(more["montage"], verbose="error")
    raw.save(file, overwrite=True, verbose="error")
    return np.asarray(eeg)


def mne_folder(folder: Path, subjects: int = 2, each: int = 8, **more: Any) -> Path:
    """A .fif a subject, trials of 4 s one after the other, and one film for all."""
    folder.mkdir(parents=True, exist_ok=True)
    for subject in range(subjects):
        fif(folder / f"s{subject}_raw.fif", seed=subject, **more)
    film(folder / "film.mp4", [5 * (index // 20) for index in range(400)])
    lines = ["trial_id,subject,label,eeg,video,t0_eeg_s,t0_video_s,seconds"]
    lines += [
        f"s{s}_t{n},s{s},{['calm', 'happy'][n % 2]},s{s}_raw.fif,film.mp4,{1 + 5 * n},{4 * n},4"
        for s in range(subjects)
        for n in range(each)
    ]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


SMALL_FILM = {"layout": "mne", "frames": 4, "image_size": 16}


def eav(folder: Path, subjects: int = 1) -> Path:
    """EAV's files with 4 s instead of 20, and features beside the EEG."""
    for number in range(1, subjects + 1):
        rng = np.random.default_rng(number)
        place = folder / f"subject{number}" / "EEG"
        place.mkdir(parents=True)
        savemat(place / f"subject{number}_eeg.mat", {"seg1": 15 * rng.standard_normal((2000, 30, 20))})
        savemat(place / f"subject{number}_eeg_label.mat", {"label": np.eye(5)[:, np.arange(20) % 5]})
        features = rng.standard_normal((20, 2, 3, 6)).astype(np.float32)
        np.savez(place / f"subject{number}_features.npz", features=features, frame_mask=np.ones((20, 2, 3), bool))
    return folder


def seed_dv(folder: Path) -> Path:
    """SEED-DV's axes with 2 blocks and 4 places."""
    rng = np.random.default_rng(0)
    for subject in (1, 2):
        eeg = 10 * rng.standard_normal((2, 4, 5, 62, 400))
        np.save(folder / f"sub{subject}.npy", eeg.astype(np.float32))
    np.save(folder / "All_video_label.npy", np.array([[3, 1, 1, 3], [1, 3, 3, 1]]))
    np.save(folder / "features.npy", rng.standard_normal((2, 4, 5, 3, 7)).astype(np.float32))
    return folder
