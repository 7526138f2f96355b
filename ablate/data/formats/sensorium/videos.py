"""Sensorium 2023: mouse V1 sees videos; deconvolved calcium at 30 Hz; one scan a folder, or its zip.

    data/videos/{i}.npy (h, w, t) 0 to 255, NaN after the clip      data/responses/{i}.npy (n, t)
    data/behavior/{i}.npy (2, t) pupil dilation, running speed      data/pupil_center/{i}.npy (2, t)
    meta/trials/tiers.npy (trials,) text                            meta/neurons, meta/statistics: not needed

Reference: Turishcheva et al. 2023, arXiv:2305.19654. Differs in: trials are laid one after the other and windows stay
within a trial, so that no bin is scored before `window` frames of its own clip (the competition drops 50 frames).
"""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ablate.data.encoding.config import SplitConfig
from ablate.data.formats.base import FormatConfig, session_name
from ablate.data.formats.reading.numbers import numbers
from ablate.data.formats.reading.pixels import as_pixels, as_uint8
from ablate.data.formats.reading.story import Story, folders_of
from ablate.data.formats.sensorium.files import Files, has
from ablate.data.formats.sensorium.trials import TIERS, held, trials_of
from ablate.data.recording import Recording
from ablate.errors import AblateError

READ = ("videos", "responses", "behavior", "pupil_center")
BEHAVIOR = {"behavior": ("pupil_dilation", "running_speed"), "pupil_center": ("pupil_x", "pupil_y")}


class Sensorium2023Config(FormatConfig):
    """Scans of the Sensorium 2023 competition (mouse V1, videos, calcium)."""

    type: Literal["sensorium2023"] = "sensorium2023"  # type: ignore[assignment]  # one name a format
    bin_rate_hz: float = Field(default=30.0, gt=0)
    """Frames a second of the videos; the files do not say it."""
    split: SplitConfig = SplitConfig(kind="trials")
    """Whole trials; those that show the same clip stay together."""
    metric: str = "correlation"
    min_spikes: int = Field(default=0, ge=0)
    """Least sum of a neuron's responses in a split."""

    @staticmethod
    def is_one(place: Path) -> bool:
        return has(place, TIERS, "data/videos")

    def read(self, place: Path) -> Recording:
        return read_sensorium2023(place, self.bin_rate_hz)


def read_sensorium2023(place: Path, bin_rate_hz: float = 30.0) -> Recording:
    """Raises AblateError for what is missing or does not fit, with the file's name."""
    files, story = Files(place, TIERS), Story()
    trials = trials_of(files, "videos", story)
    there = [name for name in BEHAVIOR if files.numbered(f"data/{name}")]
    parts: dict[str, list[np.ndarray]] = {"stimulus": [], "spikes": [], "behavior": []}
    lengths, filled, shorter = [], 0, 0
    for number in trials.numbers:
        video, responses = _video(files, number), _rows(files, "responses", number)
        frames = min(len(video), _finite(responses))
        shorter += frames < len(video)
        moves = [_rows(files, name, number) for name in there]
        for name, values in zip(there, moves, strict=True):
            if len(values) < frames:
                what = f"has {len(values)} samples, and the clip {frames} frames"
                raise AblateError(what, where=f"data/{name}/{number}.npy")
        parts["stimulus"].append(as_uint8(video[:frames]))
        parts["spikes"].append(np.asarray(responses[:frames], np.float32))
        if there:
            behavior, count = held(np.concatenate([values[:frames] for values in moves], axis=1))
            parts["behavior"].append(behavior.astype(np.float32))
            filled += count
        lengths.append(frames)
    _one_shape(parts["stimulus"], trials.numbers, "videos")
    _one_shape(parts["spikes"], trials.numbers, "responses")
    names = tuple(name for one in there for name in BEHAVIOR[one])
    story.read += [
        f"{len(lengths)} trials of {min(lengths)} to {max(lengths)} frames at {bin_rate_hz:g} Hz",
        f"{parts['spikes'][0].shape[1]} neurons, deconvolved calcium",
        f"behaviour: {', '.join(names)}" if names else "no behaviour",
    ]
    story.inferred.append("a clip ends at its first NaN frame; frame, response and sample of one index are one bin")
    story.inferred.append("time zero is the first frame of the first trial; time between trials is left out")
    if shorter:
        story.inferred.append(f"{shorter} trials end with their responses, before their clip does")
    if filled:
        story.inferred.append(f"{filled} samples of behaviour are NaN: the last one before stands in")
    known = {TIERS, *(f"data/{name}/{number}.npy" for name in READ for number in trials.numbers)}
    story.unused += folders_of(
        name for name in files.names - known if not name.startswith(tuple(f"data/{one}/" for one in READ))
    )
    return Recording(
        name=session_name(place),
        bin_rate_hz=bin_rate_hz,
        stimulus=as_pixels(parts["stimulus"]),
        spikes=np.concatenate(parts["spikes"]),
        behavior=np.concatenate(parts["behavior"]) if there else None,
        trials=np.repeat(np.array(trials.numbers), lengths),
        split=None if trials.split is None else np.repeat(trials.split, lengths),
        behavior_names=names,
        signal="calcium",
        notes=story.notes("sensorium2023"),
    )


def _video(files: Files, number: int) -> np.ndarray:
    """(t, h, w), up to the first frame with a NaN."""
    name = f"data/videos/{number}.npy"
    frames = np.moveaxis(numbers(files.array(name), name, "(h, w, t)"), 2, 0)
    if frames.dtype.kind == "f":
        frames = frames[: _finite(frames.reshape(len(frames), -1))]
    if not len(frames):
        raise AblateError("has no frame without NaN", where=name)
    return frames


def _rows(files: Files, modality: str, number: int) -> np.ndarray:
    """(t, n) of a file (n, t)."""
    name = f"data/{modality}/{number}.npy"
    return numbers(files.array(name), name, "(n, t)").T


def _finite(rows: np.ndarray) -> int:
    """Rows before the first that is not finite."""
    wrong = ~np.isfinite(rows).all(axis=1)
    return int(np.argmax(wrong)) if wrong.any() else len(rows)


def _one_shape(parts: list[np.ndarray], numbers: tuple[int, ...], modality: str) -> None:
    """Raises AblateError for a trial whose pixels or neurons are others than the first one's."""
    for number, part in zip(numbers, parts, strict=True):
        if part.shape[1:] != parts[0].shape[1:]:
            what = f"has {part.shape[1:]} a frame, and trial {numbers[0]} has {parts[0].shape[1:]}"
            raise AblateError(what, where=f"data/{modality}/{number}.npy")
