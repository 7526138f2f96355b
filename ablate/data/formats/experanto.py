"""experanto: a folder a session, in it a folder a modality with `meta.yml` (modality, start_time, end_time, s).

    screen          timestamps.npy (f,) s; data/00000.npy a clip (t, h, w) or an image (h, w); meta/00000.yml: tier,
                    first_frame_idx, num_frames
    sequence        data.npy or data.mem (t, n) at sampling_rate: responses, treadmill, eye tracker
    spikes          spikes.npy, times of all units one unit after the other; spike_indices (n + 1) where each begins
    time_interval   (k, 2) s, half open

All are on one clock, in seconds. Bins are the screen's frames, or of `bin_rate_hz`. Every clip is a trial.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ablate.data.formats.base import FormatConfig, session_name
from ablate.data.formats.reading.numbers import TIMES, numbers
from ablate.data.formats.reading.pixels import as_pixels, as_uint8
from ablate.data.formats.reading.story import Story
from ablate.data.formats.reading.tiers import split_of
from ablate.data.formats.reading.timing import (
    Bins,
    bins_at,
    bins_of_frames,
    counts_of_units,
    means_in,
    rising,
    spans_of_frames,
)
from ablate.data.recording import Recording
from ablate.data.recording.array_file import map_array
from ablate.disk.header import read_header
from ablate.disk.listing import visible
from ablate.disk.read import Json
from ablate.errors import AblateError

META = "meta.yml"
SEQUENCES = ("sequence",)
ANSWERS = ("responses", "spikes", "neurons")
"""What the folder of the recorded cells is called."""


class ExperantoConfig(FormatConfig):
    """Session folders of experanto: a folder a modality, with `meta.yml`."""

    type: Literal["experanto"] = "experanto"  # type: ignore[assignment]  # one name a format
    responses: str | None = None
    """Folder of the recorded cells. Default: the one of modality spikes, or the one called responses."""
    behavior_from: tuple[str, ...] | None = None
    """Folders of sequences that are read as behaviour. Default: all others."""
    bin_rate_hz: float | None = Field(default=None, gt=0)
    """Bins a second, where they shall not be the screen's frames."""

    @staticmethod
    def is_one(place: Path) -> bool:
        return any((one / META).is_file() for one in visible(place))

    def read(self, place: Path) -> Recording:
        return read_experanto(place, self)


@dataclass(frozen=True)
class Modality:
    """One folder."""

    folder: Path
    kind: str
    meta: Json

    @property
    def name(self) -> str:
        return self.folder.name


def read_experanto(place: Path, config: ExperantoConfig | None = None) -> Recording:
    """Raises AblateError for what is missing, does not fit, or could be one of several."""
    config, story = config or ExperantoConfig(), Story()
    modalities = [_modality(folder) for folder in visible(place) if (folder / META).is_file()]
    screen = _only([one for one in modalities if one.kind == "screen"], "screen", place)
    times, frames, clips, split = _screen(screen, story)
    where = f"{screen.folder}/timestamps.npy"
    if config.bin_rate_hz is None:
        bins = bins_of_frames(times, where)
    else:
        bins, shown = bins_at(config.bin_rate_hz, spans_of_frames(times, where))
        frames, clips = frames[shown], clips[shown]
        story.inferred.append(
            f"bins of {config.bin_rate_hz:g} Hz, each with the frame that is on the screen as it begins"
        )
    answers = _answers(modalities, config.responses, place)
    spikes, signal = _responses(answers, bins, story)
    moves = _behavior([one for one in modalities if one.kind in SEQUENCES and one is not answers], config, bins, story)
    others = [one for one in modalities if one not in (screen, answers) and one.name not in moves]
    story.unused += [f"{one.name} ({one.kind})" for one in others]
    story.unused += [one.name for one in visible(place) if not (one / META).is_file()]
    story.inferred.append(f"the first bin is at {bins.edges[0, 0]:g} s of the session's clock")
    if bins.gaps:
        story.inferred.append(f"the screen was dark at {bins.gaps} places between frames: these are left out")
    trials = np.cumsum(np.concatenate([[0], (np.diff(clips) != 0) | (np.diff(bins.trials) != 0)]))
    return Recording(
        name=session_name(place),
        bin_rate_hz=round(bins.rate_hz, 4),
        stimulus=frames,
        spikes=spikes,
        behavior=np.concatenate(list(moves.values()), axis=1).astype(np.float32) if moves else None,
        trials=trials,
        split=None if split is None else split[clips],
        behavior_names=tuple(f"{name}_{k}" for name, values in moves.items() for k in range(values.shape[1])),
        signal=signal,
        notes=story.notes("experanto", float(bins.edges[0, 0])),
    )


# ------------------------------------------------------------------ folders


def _modality(folder: Path) -> Modality:
    meta = read_header(folder / META)
    kind = str(meta.get("modality", ""))
    if not kind:
        raise AblateError("tells no `modality`", where=str(folder / META))
    return Modality(folder, kind, meta)


def _only(found: list[Modality], kind: str, place: Path) -> Modality:
    if len(found) == 1:
        return found[0]
    what = f"has {len(found)} folders of modality {kind}: {', '.join(one.name for one in found)}"
    raise AblateError(what if found else f"has no folder of modality {kind}", where=str(place))


def _answers(modalities: list[Modality], named: str | None, place: Path) -> Modality:
    known = {one.name: one for one in modalities if one.kind in ("spikes", *SEQUENCES)}
    if named is not None:
        if named not in known:
            raise AblateError(f"has no folder {named} of cells", where=str(place), hint=f"it has {', '.join(known)}")
        return known[named]
    found = [one for one in known.values() if one.kind == "spikes"] or [
        known[name] for name in ANSWERS if name in known
    ]
    if len(found) != 1:
        hint = f"write `responses: ...`, one of {', '.join(known)}" if known else ""
        what = "several folders could hold the recorded cells" if found else "no folder holds the recorded cells"
        raise AblateError(what, where=str(place), hint=hint)
    return found[0]


# ------------------------------------------------------------------ screen


def _screen(screen: Modality, story: Story) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Onset (f,), pixels (f, h, w) and clip (f,) of every frame, in the order of time; and a label of each clip."""
    times = rising(map_array(screen.folder / "timestamps.npy"), f"{screen.folder}/timestamps.npy")
    parts, first, names = [], [], []
    tiers: list[str] = []
    for path in visible(screen.folder / "data"):
        if path.suffix != ".npy":
            what = f"{path.name} is no .npy file"
            raise AblateError(what, where=str(path.parent), hint="decode films into (t, h, w) arrays first")
        clip = _clip(path)
        meta_path = screen.folder / "meta" / f"{path.stem}.yml"
        meta = read_header(meta_path) if meta_path.is_file() else {}
        at = meta.get("first_frame_idx")
        if not isinstance(at, int):
            raise AblateError("tells no `first_frame_idx`", where=str(meta_path))
        if meta.get("num_frames", len(clip)) != len(clip):
            raise AblateError(f"tells {meta['num_frames']} frames, and the clip has {len(clip)}", where=str(meta_path))
        if at + len(clip) > len(times):
            what = f"ends at frame {at + len(clip)}, and the screen has {len(times)} timestamps"
            raise AblateError(what, where=str(path))
        tiers.append(str(meta.get("tier", "none")))
        parts.append(as_uint8(clip))
        first.append(at)
        names.append(path.name)
    if not parts:
        raise AblateError("holds no clip", where=str(screen.folder / "data"))
    if len({part.shape[1:] for part in parts}) > 1:
        odd = next(index for index, part in enumerate(parts) if part.shape[1:] != parts[0].shape[1:])
        what = f"{names[odd]} has {parts[odd].shape[1:]} pixels, {names[0]} has {parts[0].shape[1:]}"
        raise AblateError(what, where=str(screen.folder / "data"))
    order = np.argsort(first, kind="stable")
    index = np.concatenate([np.arange(first[k], first[k] + len(parts[k])) for k in order])
    if len(np.unique(index)) != len(index):
        raise AblateError("two clips claim the same frames", where=str(screen.folder / "meta"))
    if len(index) < len(times):
        story.inferred.append(f"{len(times) - len(index)} timestamps of the screen belong to no clip and are left out")
    frames = as_pixels([parts[k] for k in order])
    story.read.append(f"{len(parts)} clips, {len(frames)} frames of {frames.shape[1]} x {frames.shape[2]} pixels")
    story.inferred.append("every clip is a trial")
    return times[index], frames, np.repeat(order, [len(parts[k]) for k in order]), split_of(tiers, story, "clips")


def _clip(path: Path) -> np.ndarray:
    """(t, h, w); an image is a clip of one frame."""
    clip = map_array(path)
    if clip.ndim == 2:
        clip = clip[None]
    if clip.ndim > 3:
        what = f"must have axes (t, h, w) or (h, w), not shape {clip.shape}"
        raise AblateError(what, where=str(path), hint="colour is not read: write the mean over its channels")
    return numbers(clip, str(path), "(t, h, w)")


# ------------------------------------------------------------------ cells and behaviour


def _responses(answers: Modality, bins: Bins, story: Story) -> tuple[np.ndarray, Literal["spikes", "calcium"]]:
    if answers.kind == "spikes":
        path = answers.folder / "spikes.npy"
        times = numbers(np.ravel(map_array(path)), str(path), "(n,)", kinds=TIMES, empty=True).astype(np.float64)
        limits = _limits(answers, len(times))
        counts = counts_of_units([times[begin:end] for begin, end in pairwise(limits)], bins, str(path))
        read = (
            f"{counts.shape[1]} units, {int(counts.sum())} spikes of {len(times)} of {answers.name} during the stimulus"
        )
        story.read.append(read)
        return counts.astype(np.uint16), "spikes"
    when, values = _sequence(answers)
    means, empty = means_in(when, values, bins)
    story.read.append(f"{values.shape[1]} cells of {answers.name}, calcium; the mean of the samples of each bin")
    if empty:
        story.inferred.append(f"{empty} bins have no sample of {answers.name}: the last one before stands in")
    return means.astype(np.float32), "calcium"


def _limits(answers: Modality, spikes: int) -> np.ndarray:
    """(n + 1,) where each unit's spikes begin in the flat list, and its end."""
    said = answers.meta.get("spike_indices")
    path = answers.folder / "spike_indices.npy"
    if said is None and path.is_file():
        said = map_array(path)
    if said is None:
        raise AblateError("no `spike_indices` tell which spikes are whose", where=str(answers.folder))
    limits = numbers(np.ravel(said), f"{answers.folder}: spike_indices", "(n + 1,)", kinds=TIMES)
    if (
        len(limits) < 2
        or (limits != np.floor(limits)).any()
        or limits[0] != 0
        or limits[-1] != spikes
        or (np.diff(limits) < 0).any()
    ):
        what = f"`spike_indices` must rise from 0 to the {spikes} spikes, one more than units"
        raise AblateError(what, where=str(answers.folder))
    return limits.astype(np.int64)


def _sequence(one: Modality) -> tuple[np.ndarray, np.ndarray]:
    """Times (t,) and values (t, n)."""
    rate, start = one.meta.get("sampling_rate"), one.meta.get("start_time", 0.0)
    if not isinstance(rate, int | float) or rate <= 0:
        raise AblateError("tells no `sampling_rate`", where=str(one.folder / META))
    path, raw = one.folder / "data.npy", one.folder / "data.mem"
    if path.is_file():
        values = np.asarray(map_array(path))
    elif raw.is_file():
        values = _raw(raw, one.meta)
    else:
        raise AblateError("holds neither data.npy nor data.mem", where=str(one.folder))
    if values.ndim == 1:
        values = values[:, None]
    values = numbers(values, str(one.folder), "(t, n)")
    shifts = one.meta.get("phase_shift_per_signal")
    if shifts:
        what = "each of its signals has its own `phase_shift_per_signal`, which is not read"
        raise AblateError(what, where=str(one.folder / META), hint="write the signals on one clock first")
    return float(start) + np.arange(len(values)) / float(rate), values


def _raw(path: Path, meta: Json) -> np.ndarray:
    signals, dtype = meta.get("n_signals"), meta.get("dtype")
    try:
        kind = np.dtype(str(dtype).removeprefix("<class 'numpy.").removesuffix("'>"))
    except TypeError:
        kind = None
    if not isinstance(signals, int) or signals < 1 or kind is None or kind.hasobject:
        raise AblateError("data.mem needs `n_signals` and `dtype` in meta.yml", where=str(path.parent))
    if path.stat().st_size % (signals * kind.itemsize):
        what = f"data.mem has {path.stat().st_size} bytes, no whole rows of {signals} {kind}"
        raise AblateError(what, where=str(path.parent))
    return np.asarray(np.memmap(path, dtype=kind, mode="r").reshape(-1, signals))


def _behavior(found: list[Modality], config: ExperantoConfig, bins: Bins, story: Story) -> dict[str, np.ndarray]:
    known = {one.name: one for one in found}
    names = tuple(known) if config.behavior_from is None else config.behavior_from
    absent = [name for name in names if name not in known]
    if absent:
        raise AblateError(f"no folder {absent[0]} holds a sequence", hint=f"there are {', '.join(known) or 'none'}")
    moves = {}
    for name in names:
        when, values = _sequence(known[name])
        moves[name], empty = means_in(when, values, bins)
        story.read.append(f"behaviour: {name}, {values.shape[1]} signals, the mean of the samples of each bin")
        if empty:
            story.inferred.append(f"{empty} bins have no sample of {name}: the last one before stands in")
    return moves
