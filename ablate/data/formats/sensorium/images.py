"""Sensorium 2022: mouse V1 sees still images, one a trial; the response to each is one number a neuron.

    data/images/{i}.npy (1, h, w)     data/responses/{i}.npy (n,)     data/behavior/{i}.npy (k,)
    data/pupil_center/{i}.npy (2,)    meta/trials/tiers.npy (trials,) text

Reference: Willeke et al. 2022, arXiv:2206.08666. Differs in: a trial is one bin of a recording whose bins do not follow
each other in time, so that a window holds one image.
"""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ablate.data.formats.base import FormatConfig, session_name
from ablate.data.formats.reading.numbers import numbers
from ablate.data.formats.reading.pixels import as_pixels, as_uint8
from ablate.data.formats.reading.story import Story, folders_of
from ablate.data.formats.sensorium.files import Files, has
from ablate.data.formats.sensorium.trials import TIERS, trials_of
from ablate.data.recording import Recording
from ablate.errors import AblateError

READ = ("images", "responses", "behavior", "pupil_center")
NAMES = {3: ("pupil_dilation", "pupil_dilation_change", "running_speed"), 2: ("pupil_x", "pupil_y")}


class Sensorium2022Config(FormatConfig):
    """Scans of the Sensorium 2022 competition (mouse V1, still images, calcium): a window holds one image."""

    type: Literal["sensorium2022"] = "sensorium2022"  # type: ignore[assignment]  # one name a format
    bin_rate_hz: float = Field(default=2.0, gt=0)
    """Images a second: each response is summed over half a second. The files do not say it."""
    window: int = Field(default=1, ge=1, le=1)
    """One image: neighbouring rows are other trials, not the past."""
    warmup: int = Field(default=0, ge=0, le=0)
    score_every: int = Field(default=1, ge=1, le=1)
    metric: str = "correlation"
    min_spikes: int = Field(default=0, ge=0)
    """Least sum of a neuron's responses in a split."""

    @staticmethod
    def is_one(place: Path) -> bool:
        return has(place, TIERS, "data/images")

    def read(self, place: Path) -> Recording:
        return read_sensorium2022(place, self.bin_rate_hz)


def read_sensorium2022(place: Path, bin_rate_hz: float = 2.0) -> Recording:
    """Raises AblateError for what is missing or does not fit, with the file's name."""
    files, story = Files(place, TIERS), Story()
    trials = trials_of(files, "images", story)
    images = np.stack(_alike([_image(files, number) for number in trials.numbers], trials.numbers, "images"))
    responses = np.stack(_alike([_row(files, "responses", n) for n in trials.numbers], trials.numbers, "responses"))
    there = [name for name in ("behavior", "pupil_center") if files.numbered(f"data/{name}")]
    rows = {
        name: np.stack(_alike([_row(files, name, number) for number in trials.numbers], trials.numbers, name))
        for name in there
    }
    names = tuple(name for one in there for name in _names(one, rows[one].shape[1]))
    story.read += [
        f"{len(images)} images, one a bin",
        f"{responses.shape[1]} neurons, deconvolved calcium",
        f"behaviour: {', '.join(names)}" if names else "no behaviour",
    ]
    story.inferred.append(f"{bin_rate_hz:g} images a second; the order of the trials is that of their numbers")
    # The program tells a bin what was measured before it. Here it was measured while the image was shown, and belongs
    # to that image: each row is laid one bin earlier, so that the image gets its own.
    behavior = np.concatenate([rows[name] for name in there], axis=1) if there else None
    if behavior is not None:
        behavior = np.concatenate([behavior[1:], behavior[-1:]])
        story.inferred.append(
            "behaviour of an image is what was measured while it was shown, as the competition has it"
        )
    story.unused += folders_of(
        name for name in files.names - {TIERS} if not name.startswith(tuple(f"data/{one}/" for one in READ))
    )
    return Recording(
        name=session_name(place),
        bin_rate_hz=bin_rate_hz,
        stimulus=as_pixels([as_uint8(images)]),
        spikes=responses.astype(np.float32),
        behavior=None if behavior is None else behavior.astype(np.float32),
        split=trials.split,
        behavior_names=names,
        signal="calcium",
        notes=story.notes("sensorium2022"),
    )


def _names(modality: str, columns: int) -> tuple[str, ...]:
    known = NAMES.get(columns, ())
    expected = 3 if modality == "behavior" else 2
    return known if columns == expected else tuple(f"{modality}_{column}" for column in range(columns))


def _image(files: Files, number: int) -> np.ndarray:
    """(h, w)."""
    name = f"data/images/{number}.npy"
    image = files.array(name)
    image = numbers(image[None] if image.ndim == 2 else image, name, "(1, h, w)")
    if len(image) != 1:
        raise AblateError(f"has {len(image)} colour channels, and a model here sees one", where=name)
    return np.asarray(image[0])


def _row(files: Files, modality: str, number: int) -> np.ndarray:
    name = f"data/{modality}/{number}.npy"
    values = numbers(files.array(name), name, "(n,)")
    if not np.isfinite(values).all():
        raise AblateError("contains NaN or infinity", where=name)
    return values


def _alike(parts: list[np.ndarray], numbers: tuple[int, ...], modality: str) -> list[np.ndarray]:
    """Raises AblateError for a trial of another shape than the first one."""
    for number, part in zip(numbers, parts, strict=True):
        if part.shape != parts[0].shape:
            what = f"has shape {part.shape}, and trial {numbers[0]} has {parts[0].shape}"
            raise AblateError(what, where=f"data/{modality}/{number}.npy")
    return parts
