"""SEED-DV (Liu et al. 2024): a file `subN.npy` a subject, (7, 40, 5, 62, 400) = block, concept, clip, channel, sample.

At 200 Hz a clip has 2 s; the five clips of a concept in a block are one trial of exactly five intervals, and the
concept is its
label. Frames of the clips, the same for all subjects: `features.npy` (7, 40, 5, f, d) or `video.npy` (7, 40, 5, f,
h, w, 3).
"""

from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange

from ablate.data.trials.layout.table import Frames, TrialRow, TrialTable, trimmed
from ablate.errors import AblateError

RATE_HZ, CHANNELS, CLIP_S = 200.0, 62, 2.0


def read_folder(folder: Path, interval_s: float) -> TrialTable:
    """All subjects of the folder, memory-mapped. Raises AblateError for files of another shape."""
    files = sorted(path for path in folder.glob("sub*.npy"))
    if not files:
        raise AblateError("there is no subN.npy", where=str(folder), hint="give the folder of SEED-DV's EEG")
    if interval_s != CLIP_S:
        raise AblateError(f"interval_s is {interval_s:g}", where="data.interval_s", hint="SEED-DV's clips have 2 s")
    film = _film(folder)
    rows: list[TrialRow] = []
    for file in files:
        eeg = np.load(file, mmap_mode="r")
        if eeg.ndim != 5 or eeg.shape[3:] != (CHANNELS, round(RATE_HZ * CLIP_S)):
            raise AblateError(
                f"EEG of shape {eeg.shape}, expected (7, 40, 5, 62, 400)",
                where=str(file),
                hint="axes are block, concept, clip, channel, sample",
            )
        blocks, concepts = eeg.shape[:2]
        rows += [_row(eeg, film, file.stem, block, concept) for block in range(blocks) for concept in range(concepts)]
    clips, frames = film.shape[2:4]
    shape = (3, *film.shape[4:6]) if film.ndim == 7 else tuple(film.shape[4:])
    names = tuple(f"channel_{index:02d}" for index in range(CHANNELS))
    return TrialTable(tuple(rows), RATE_HZ, names, CLIP_S, clips, frames, shape)


def _row(eeg: Any, film: Any, subject: str, block: int, concept: int) -> TrialRow:
    name = f"{subject}_block{block}_concept{concept:02d}"
    samples = eeg.shape[2] * eeg.shape[4]

    def read_eeg() -> Any:
        return trimmed(rearrange(np.asarray(eeg[block, concept]), "i c t -> c (i t)"), samples, name)

    def read_frames() -> Frames:
        frames = np.asarray(film[block, concept])
        return frames, np.ones(frames.shape[:2], dtype=np.bool_)

    return TrialRow(
        name, subject, f"concept_{concept:02d}", read_eeg, read_frames, lambda: np.ones(film.shape[2:4], dtype=np.bool_)
    )


def _film(folder: Path) -> Any:
    for name, axes in (("features.npy", 5), ("video.npy", 7)):
        if (folder / name).is_file():
            film = np.load(folder / name, mmap_mode="r")
            if film.ndim != axes:
                raise AblateError(f"{film.ndim} axes, expected {axes}", where=str(folder / name))
            return film
    raise AblateError(
        "there is neither features.npy nor video.npy",
        where=str(folder),
        hint="save the clips' frames as (7, 40, 5, f, d) features or (7, 40, 5, f, h, w, 3) pixels",
    )
