"""SEED-DV (Liu et al. 2024): films of 40 concepts in 7 blocks, five clips of 2 s a concept.

    EEG/subN.npy                   (7, 40, 5, 62, 400) = block, place, clip, channel, sample at 200 Hz; or as recorded,
                                   (7, 62, 104000), where 3 s of hint come before the five clips
    meta-info/All_video_label.npy  (7, 40): which concept is shown at each place. Each block has an order of its own,
                                   so the place is no label
    Video/1st_10min.mp4, ...       the films, needs the extra [video]; or frames of the clips by place, features.npy
                                   (7, 40, 5, f, d) or video.npy (7, 40, 5, f, h, w, 3)

The five clips at a place are one trial of exactly five intervals. All subjects see the same films: a clip is never in
two splits when whole trials are split, but it is when subjects are.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from ablate.data.trials.layout.film import FilmStyle, Stretch, read_frames, read_mask
from ablate.data.trials.layout.table import Frames, TrialRow, TrialTable, trimmed
from ablate.errors import AblateError

RATE_HZ, CHANNELS, CLIP_S, CLIPS, HINT_S = 200.0, 62, 2.0, 5, 3.0
CLIP_SAMPLES = round(CLIP_S * RATE_HZ)
PLACE_S = HINT_S + CLIPS * CLIP_S
FILMS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th")


def read_folder(folder: Path, interval_s: float, style: FilmStyle) -> TrialTable:
    """All subjects of the folder, memory-mapped. Raises AblateError for files of another shape."""
    files = sorted(path for path in folder.rglob("sub*.npy") if re.fullmatch(r"sub\d+", path.stem))
    if not files:
        raise AblateError("there is no subN.npy", where=str(folder), hint="give the folder of SEED-DV's EEG")
    if interval_s != CLIP_S:
        raise AblateError(f"interval_s is {interval_s:g}", where="data.interval_s", hint="SEED-DV's clips have 2 s")
    labels = _labels(folder)
    film = Clips(folder, labels.shape, style)
    rows = [row for file in files for row in _rows(file, labels, film)]
    names = tuple(f"channel_{index:02d}" for index in range(CHANNELS))
    return TrialTable(tuple(rows), RATE_HZ, names, CLIP_S, CLIPS, film.frames, film.shape)


def _rows(file: Path, labels: NDArray[np.int64], film: "Clips") -> list[TrialRow]:
    eeg, blocks = np.load(file, mmap_mode="r"), len(labels)
    places = labels.shape[1]
    segmented = (blocks, places, CLIPS, CHANNELS, CLIP_SAMPLES)
    recorded = (blocks, CHANNELS, round(places * PLACE_S * RATE_HZ))
    if eeg.shape not in (segmented, recorded):
        raise AblateError(
            f"EEG of shape {eeg.shape}, expected {segmented} or {recorded}",
            where=str(file),
            hint="axes are block, place, clip, channel, sample, or block, channel, sample as recorded",
        )
    return [_row(eeg, film, file.stem, b, p, int(labels[b, p])) for b in range(blocks) for p in range(places)]


def _row(eeg: Any, film: "Clips", subject: str, block: int, place: int, concept: int) -> TrialRow:
    name = f"{subject}_block{block}_place{place:02d}"

    def read_eeg() -> Any:
        if eeg.ndim == 5:
            signal = rearrange(np.asarray(eeg[block, place]), "i c t -> c (i t)")
        else:
            first = round((place * PLACE_S + HINT_S) * RATE_HZ)
            signal = np.asarray(eeg[block, :, first : first + CLIPS * CLIP_SAMPLES])
        return trimmed(signal, CLIPS * CLIP_SAMPLES, name)

    return TrialRow(
        name,
        subject,
        f"concept_{concept:02d}",
        read_eeg,
        lambda: film.read(block, place),
        lambda: film.mask(block, place),
        stimulus=f"block{block}_place{place:02d}",
    )


def _labels(folder: Path) -> NDArray[np.int64]:
    """(blocks, places): the concept shown at each place."""
    found = sorted(folder.rglob("All_video_label.npy"))
    if not found:
        raise AblateError(
            "there is no All_video_label.npy",
            where=str(folder),
            hint="it is in SEED-DV's meta-info: each block shows the concepts in an order of its own",
        )
    labels = np.load(found[0])
    if labels.ndim != 2:
        raise AblateError(f"labels of shape {labels.shape}, expected (7, 40)", where=str(found[0]))
    return labels.astype(np.int64)


class Clips:
    """The frames of all clips, the same for all subjects: an array by block and place, or films."""

    def __init__(self, folder: Path, places: tuple[int, ...], style: FilmStyle):
        self.style = style
        self.array = _array(folder, places)
        self.films = [path for name in FILMS for path in sorted(folder.rglob(f"{name}_10min.mp4"))[:1]]
        if self.array is not None:
            self.frames = int(self.array.shape[3])
            self.shape = (3, *self.array.shape[4:6]) if self.array.ndim == 7 else tuple(self.array.shape[4:])
        elif len(self.films) >= places[0]:
            self.frames, self.shape = style.frames, (3, style.size, style.size)
        else:
            raise AblateError(
                f"there is neither features.npy nor video.npy nor a film of each of {places[0]} blocks",
                where=str(folder),
                hint="SEED-DV's own 1st_10min.mp4 .., or features of the clips as (7, 40, 5, f, d)",
            )

    def read(self, block: int, place: int) -> Frames:
        if self.array is not None:
            frames = np.asarray(self.array[block, place])
            return frames, np.ones(frames.shape[:2], dtype=np.bool_)
        return read_frames(self._stretch(block, place), self.style)

    def mask(self, block: int, place: int) -> NDArray[np.bool_]:
        if self.array is not None:
            return np.ones(self.array.shape[2:4], dtype=np.bool_)
        return read_mask(self._stretch(block, place), self.style)

    def _stretch(self, block: int, place: int) -> Stretch:
        return Stretch(self.films[block], place * PLACE_S + HINT_S, CLIPS, CLIP_S)


def _array(folder: Path, places: tuple[int, ...]) -> Any:
    """features.npy or video.npy, memory-mapped; None where neither is there."""
    for name, axes in (("features.npy", 5), ("video.npy", 7)):
        if (folder / name).is_file():
            film = np.load(folder / name, mmap_mode="r")
            if film.ndim != axes or film.shape[:3] != (*places, CLIPS):
                expected = (*places, CLIPS, "f", "d") if axes == 5 else (*places, CLIPS, "f", "h", "w", 3)
                raise AblateError(f"shape {film.shape}, expected {expected}", where=str(folder / name))
            return film
    return None
