"""VisionCore `.dset`: one file by `torch.save({'covariates': {...}, 'metadata': {...}})`.

    stim (t, h, w) uint8     robs (t, n) counts     t_bins (t,) s     eyepos (t, 2) degrees
    trial_inds (t,)          dpi_valid (t,) whether the eye tracker had the eye

A saved file may hold any program: it is opened with `weights_only=True`, which runs none.
"""

import pickle
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from ablate.data.formats.base import FormatConfig, session_name
from ablate.data.formats.reading.numbers import numbers
from ablate.data.formats.reading.story import Story
from ablate.data.formats.reading.timing import rising
from ablate.data.formats.sensorium.trials import held
from ablate.data.recording import Recording
from ablate.disk.read import Json
from ablate.errors import AblateError

AXES = {
    "stim": "(t, h, w)",
    "robs": "(t, n)",
    "t_bins": "(t,)",
    "eyepos": "(t, k)",
    "trial_inds": "(t,)",
    "dpi_valid": "(t,)",
}


class VisionCoreConfig(FormatConfig):
    """`.dset` files of the VisionCore pipeline (free viewing, counts, eye position)."""

    type: Literal["visioncore"] = "visioncore"  # type: ignore[assignment]  # one name a format
    bin_rate_hz: float | None = Field(default=None, gt=0)
    """Bins a second, where the file has no `t_bins`. `resample_hz: 120` sums 240 Hz to 120, as the lab does."""

    @staticmethod
    def is_one(place: Path) -> bool:
        return place.is_file() and place.suffix == ".dset"

    def read(self, place: Path) -> Recording:
        return read_visioncore(place, self.bin_rate_hz)


def read_visioncore(place: Path, bin_rate_hz: float | None = None) -> Recording:
    """Raises AblateError for a file that holds more than tensors, lacks stim or robs, or whose lengths differ."""
    saved, story = _opened(place), Story()
    covariates = saved.get("covariates")
    if not isinstance(covariates, dict):
        raise AblateError("has no `covariates`", where=str(place), hint="is it a .dset of VisionCore?")
    plain = {name: value for name, value in covariates.items() if isinstance(value, torch.Tensor | np.ndarray)}
    arrays = {str(name): _array(name, value, place) for name, value in plain.items()}
    for name in ("stim", "robs"):
        if name not in arrays:
            known = ", ".join(sorted(map(str, covariates)))
            raise AblateError(f"`covariates` has no `{name}`", where=str(place), hint=f"it has {known}")
    stim, robs = arrays["stim"], arrays["robs"]
    for name in AXES:
        if name in arrays and len(arrays[name]) != len(robs):
            raise AblateError(f"`{name}` has {len(arrays[name])} bins, `robs` has {len(robs)}", where=str(place))
    rate, first = _clock(arrays.get("t_bins"), bin_rate_hz, place, story)
    eye, valid = _eye(arrays, story)
    trials = None
    if "trial_inds" in arrays:
        trials = arrays["trial_inds"]
        if not (np.isfinite(trials) & (trials == np.floor(trials))).all():
            raise AblateError("holds numbers of trials that are not whole", where=f"{place}: trial_inds")
        trials = trials.astype(np.int64)
        story.read.append(f"{len(np.unique(trials))} trials of `trial_inds`")
    story.read.insert(0, f"{len(stim)} frames of {stim.shape[-2]} x {stim.shape[-1]} pixels at {rate:g} Hz")
    story.read.insert(1, f"{robs.shape[-1]} units, counts of `robs`; counts, frame and eye of one row are one bin")
    story.unused += [f"covariates/{name}" for name in covariates if str(name) not in AXES]
    story.unused += [name for name in saved if name not in ("covariates", "metadata")]
    metadata = saved.get("metadata")
    if isinstance(metadata, dict) and metadata:
        story.unused.append(f"metadata ({', '.join(map(str, metadata))})")
    return Recording(
        name=session_name(place),
        bin_rate_hz=rate,
        stimulus=stim if stim.dtype == np.uint8 else stim.astype(np.float32),
        spikes=robs,
        behavior=eye,
        valid=None if valid is None else np.repeat(valid[:, None], robs.shape[-1], axis=1),
        trials=trials,
        behavior_names=() if eye is None else ("eye_x_deg", "eye_y_deg")[: eye.shape[1]],
        notes=story.notes("visioncore", first),
    )


def _opened(place: Path) -> Json:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that sparse tensors are slow to check; they are refused
            saved = torch.load(place, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        hint = "save tensors, numbers and text only; a file that holds objects could run any program when it is opened"
        raise AblateError("holds more than tensors, and is not opened", where=str(place), hint=hint) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise AblateError(f"is no file of torch.save: {str(error).splitlines()[0]}", where=str(place)) from error
    if not isinstance(saved, dict):
        raise AblateError(f"holds a {type(saved).__name__}, not `covariates`", where=str(place))
    return saved


def _array(name: object, value: object, place: Path) -> np.ndarray:
    array = value.detach().cpu() if isinstance(value, torch.Tensor) else torch.as_tensor(value)
    try:
        found = (array.float() if array.dtype == torch.bfloat16 else array).numpy()
    except (TypeError, RuntimeError) as error:  # sparse, quantised, of 8 bits
        raise AblateError(f"`{name}` is no plain tensor: {str(error).splitlines()[0]}", where=str(place)) from error
    if str(name) not in AXES:
        return np.asarray(found)
    if str(name) == "stim" and found.ndim == 4 and found.shape[1] == 1:
        found = found[:, 0]
    if AXES[str(name)] == "(t,)" and found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    return numbers(found, f"{place}: {name}", AXES[str(name)])


def _clock(times: np.ndarray | None, bin_rate_hz: float | None, place: Path, story: Story) -> tuple[float, float]:
    """Rate, and the first bin's time. Raises AblateError where the file and the recipe say different rates."""
    if times is None:
        if bin_rate_hz is None:
            hint = "write `bin_rate_hz: 240`"
            raise AblateError("has no `t_bins`, so that its rate is not known", where=str(place), hint=hint)
        story.inferred.append("time zero is the first bin")
        return bin_rate_hz, 0.0
    times = rising(times, f"{place}: t_bins")
    rate = round(1 / float(np.median(np.diff(times))), 3)
    if bin_rate_hz is not None and abs(rate / bin_rate_hz - 1) > 0.01:
        what = f"`t_bins` are {rate:g} Hz apart, and `bin_rate_hz` is {bin_rate_hz:g}"
        raise AblateError(what, where=str(place), hint="leave `bin_rate_hz` out; `resample_hz` adds bins up")
    gaps = int(np.count_nonzero(np.diff(times) > 1.5 / rate))
    story.inferred.append(f"{rate:g} Hz by the median of `t_bins`; the first bin is at {times[0]:g} s")
    if gaps:
        story.inferred.append(f"time stands still at {gaps} places between bins, where the recording was cut")
    return rate, float(times[0])


def _eye(arrays: dict[str, np.ndarray], story: Story) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Behaviour (t, 2) and valid bins (t,)."""
    valid = None
    if "dpi_valid" in arrays:
        valid = arrays["dpi_valid"] > 0
        story.read.append(f"{100 * (1 - valid.mean()):.1f} % of the bins are not scored: `dpi_valid` says no")
    if "eyepos" not in arrays:
        return None, valid
    eye, filled = held(arrays["eyepos"].astype(np.float64))
    story.read.append("behaviour: eye position, degrees")
    if filled:
        story.inferred.append(f"{filled} samples of the eye are NaN: the last one before stands in")
    return eye.astype(np.float32), valid
