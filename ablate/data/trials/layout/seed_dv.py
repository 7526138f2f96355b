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
from collections.abc import Callable
from pathlib import Path

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from ablate.data.trials.layout.frames.film import FilmStyle, Stretch, read_frames, read_mask, slot_keys
from ablate.data.trials.layout.frames.stored import clean, frame_shape
from ablate.data.trials.layout.table import EegFile, Frames, TrialRow, TrialTable, hash_of
from ablate.errors import AblateError, Problem

RATE_HZ, CHANNELS, CLIP_S, CLIPS, HINT_S = 200.0, 62, 2.0, 5, 3.0
NAMES = tuple(f"channel_{index:02d}" for index in range(CHANNELS))
CLIP_SAMPLES = round(CLIP_S * RATE_HZ)
PLACE_S = HINT_S + CLIPS * CLIP_S
FILMS = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th")


def read_folder(folder: Path, interval_s: float, style: FilmStyle, pixel_max: float | None) -> TrialTable:
    """All subjects of the folder, memory-mapped. Raises AblateError where there are none, or no labels or frames."""
    files = sorted(path for path in folder.rglob("sub*.npy") if re.fullmatch(r"sub\d+", path.stem))
    if not files:
        raise AblateError("there is no subN.npy", where=str(folder), hint="give the folder of SEED-DV's EEG")
    if interval_s != CLIP_S:
        raise AblateError(f"interval_s is {interval_s:g}", where="data.interval_s", hint="SEED-DV's clips have 2 s")
    label_file, labels = _labels(folder)
    film = Clips(folder, labels.shape, style, pixel_max)
    rows, problems = list[TrialRow](), list[Problem]()
    for file in files:
        try:
            rows += _rows(file, labels, film)
        except AblateError as error:
            problems += error.problems
    read = (*files, label_file, *film.files)
    return TrialTable(str(folder), tuple(rows), CLIP_S, CLIPS, film.frames, film.shape, read, tuple(problems))


def _rows(file: Path, labels: NDArray[np.int64], film: "Clips") -> list[TrialRow]:
    eeg, blocks = _mapped(file), len(labels)
    places = labels.shape[1]
    segmented = (blocks, places, CLIPS, CHANNELS, CLIP_SAMPLES)
    recorded = (blocks, CHANNELS, round(places * PLACE_S * RATE_HZ))
    if eeg.shape not in (segmented, recorded) or eeg.dtype.kind not in "iuf":
        raise AblateError(
            f"EEG of shape {eeg.shape} and type {eeg.dtype}, expected {segmented} or {recorded}",
            where=str(file),
            hint="axes are block, place, clip, channel, sample, or block, channel, sample as recorded",
        )
    return [_row(eeg, film, file, b, p, int(labels[b, p])) for b in range(blocks) for p in range(places)]


def _row(eeg: np.ndarray, film: "Clips", file: Path, block: int, place: int, concept: int) -> TrialRow:
    subject = file.stem

    def read_eeg() -> NDArray[np.floating]:
        if eeg.ndim == 5:
            signal = rearrange(np.asarray(eeg[block, place]), "i c t -> c (i t)")
        else:
            first = round((place * PLACE_S + HINT_S) * RATE_HZ)
            signal = np.asarray(eeg[block, :, first : first + CLIPS * CLIP_SAMPLES])
        return signal.astype(np.float64)

    return TrialRow(
        f"{subject}_block{block}_place{place:02d}",
        subject,
        f"concept_{concept:02d}",
        f"{file} (block {block}, place {place})",
        EegFile(str(file), RATE_HZ, NAMES),
        read_eeg,
        lambda: film.read(block, place),
        lambda: film.mask(block, place),
        lambda: film.content(block, place),
        film.source(block),
        stimulus=f"block{block}_place{place:02d}",
        frame_keys=film.keys(block, place),
    )


def _mapped(file: Path) -> np.ndarray:
    """A .npy file, memory-mapped. Raises AblateError for what is none."""
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise AblateError(f"cannot be read: {error}", where=str(file), hint="a whole .npy file") from error


def _labels(folder: Path) -> tuple[Path, NDArray[np.int64]]:
    """The file, and (blocks, places): the concept shown at each place."""
    found = sorted(folder.rglob("All_video_label.npy"))
    if not found:
        raise AblateError(
            "there is no All_video_label.npy",
            where=str(folder),
            hint="it is in SEED-DV's meta-info: each block shows the concepts in an order of its own",
        )
    labels = _mapped(found[0])
    if labels.ndim != 2 or labels.dtype.kind not in "iuf" or not (labels == np.floor(labels)).all():
        what = f"labels of shape {labels.shape} and type {labels.dtype}, expected whole numbers (7, 40)"
        raise AblateError(what, where=str(found[0]), hint="the concept shown at each place of each block")
    return found[0], np.asarray(labels).astype(np.int64)


class Clips:
    """The frames of all clips, the same for all subjects: an array by block and place, or films. files: theirs."""

    def __init__(self, folder: Path, places: tuple[int, ...], style: FilmStyle, pixel_max: float | None):
        self.style, self.pixel_max = style, pixel_max
        self.array, self.kind, self.files = _array(folder, places)
        if self.array is not None:
            self.frames = int(self.array.shape[3])
            self.shape = frame_shape(self.array.shape[2:], self.kind, str(self.files[0]))
            return
        wanted = [f"{name}_10min.mp4" for name in FILMS[: places[0]]]  # by name: a missing one moves no other
        self.files = tuple(path for name in wanted for path in sorted(folder.rglob(name))[:1])
        self.frames, self.shape = style.frames, (3, style.size, style.size)
        if len(self.files) < places[0]:
            missing = [name for name in wanted if name not in {path.name for path in self.files}]
            raise AblateError(
                f"there is neither features.npy nor video.npy nor a film of each of {places[0]} blocks "
                f"(missing: {', '.join(missing) or f'more than {len(FILMS)} blocks have no names'})",
                where=str(folder),
                hint="SEED-DV's own 1st_10min.mp4 .., or features of the clips as (7, 40, 5, f, d)",
            )

    def read(self, block: int, place: int) -> Frames:
        if self.array is None:
            return read_frames(self._stretch(block, place), self.style)
        frames, mask = np.asarray(self.array[block, place]), self.mask(block, place)
        where = f"{self.files[0]} (block {block}, place {place})"
        return clean(frames, mask, self.kind, where, self.pixel_max), mask

    def mask(self, block: int, place: int) -> NDArray[np.bool_]:
        if self.array is not None:
            return np.ones(self.array.shape[2:4], dtype=np.bool_)
        return read_mask(self._stretch(block, place), self.style)

    def content(self, block: int, place: int) -> bytes:
        return self._stretch(block, place).content() if self.array is None else hash_of(self.read(block, place)[0])

    def keys(self, block: int, place: int) -> Callable[[], NDArray[np.uint64]] | None:
        """Of films; arrays are named by what they hold."""
        return None if self.array is not None else (lambda: slot_keys(self._stretch(block, place), self.style))

    def source(self, block: int) -> str:
        """The file that a block's clips lie in."""
        return str(self.files[0] if self.array is not None else self.files[block])

    def _stretch(self, block: int, place: int) -> Stretch:
        return Stretch(self.files[block], place * PLACE_S + HINT_S, CLIPS, CLIP_S)


def _array(folder: Path, places: tuple[int, ...]) -> tuple[np.ndarray | None, str, tuple[Path, ...]]:
    """features.npy or video.npy, memory-mapped, its kind and file; None where neither is there."""
    for kind, axes in (("features", 5), ("video", 7)):
        file = folder / f"{kind}.npy"
        if file.is_file():
            film = _mapped(file)
            if film.ndim != axes or film.shape[:3] != (*places, CLIPS):
                expected = (*places, CLIPS, "f", "d") if axes == 5 else (*places, CLIPS, "f", "h", "w", 3)
                raise AblateError(f"shape {film.shape}, expected {expected}", where=str(file))
            return film, kind, (file,)
    return None, "", ()
