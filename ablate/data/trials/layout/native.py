"""The native folder of trials, read and written.

    meta.yaml      eeg_rate_hz, channel_names, units (uV, mV, V), interval_s
    manifest.csv   trial_id, subject, session, label, eeg, video or features, t0_eeg_s, t0_video_s; files relative to
                   it. Optionally bads: the trial's bad channels, separated by spaces
    *.npz, *.h5    eeg (channels, samples); video (i, f, h, w, 3) uint8 or features (i, f, d), frame_mask (i, f),
                   frame_t (i, f) seconds since t0_video_s

One file may hold both EEG and frames. A trial may have no video at all (an empty cell): absent intervals are legal.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from ablate.data.trials.layout.frames.arrays import array_shape, as_mask, read_array
from ablate.data.trials.layout.frames.stored import clean, frame_shape
from ablate.data.trials.layout.manifest.lines import Line, interval_faults, number_faults, read_manifest, unread
from ablate.data.trials.layout.manifest.meta import META_KEYS, Meta, read_meta
from ablate.data.trials.layout.manifest.ratings import Rated, rated
from ablate.data.trials.layout.table import CUT_OR_PAD, EegFile, Frames, TrialRow, TrialTable, hash_of, no_frames
from ablate.errors import AblateError, Problem

COLUMNS = ("trial_id", "subject", "session", "label", "eeg", "t0_eeg_s", "t0_video_s")
SLACK = 0.05  # of an interval: frame times are rounded to the video's clock


@dataclass(frozen=True)
class Layout:
    """What all trials of a folder share. shape: of a trial's frames (i, f, ...), pads included. lengths: intervals of
    each line's trial, where they may differ."""

    folder: Path
    meta: Meta
    shape: tuple[int, ...]
    pixel_max: float | None
    lengths: Mapping[str, int] = field(default_factory=dict)


def read_folder(
    folder: Path, pixel_max: float | None, targets: Sequence[str] = (), *, padded: bool = False
) -> TrialTable:
    """The trials of a folder; only headers are read. padded: they may differ in length. Raises AblateError where there
    is no trial to speak of."""
    meta = read_meta(folder / "meta.yaml")
    lines, problems = read_manifest(folder / "manifest.csv", COLUMNS, targets)
    if not {"video", "features"} & set(lines[0].cells if lines else COLUMNS):
        where = str(folder / "manifest.csv")
        raise AblateError("without the columns video or features", where=where, hint="name one of the two")
    shapes: dict[str, tuple[int, ...]] = {}
    for line in lines:
        faults = _faults(folder, line)
        try:
            shape = () if faults else _shape(folder, line)
        except AblateError as error:
            faults = list(error.problems)
        problems += faults
        if not faults:
            shapes[line.where] = shape
    lines = [line for line in lines if line.where in shapes]
    lengths = _lengths(folder, meta, lines, shapes) if padded else {}
    layout, others = _layout(folder, meta, lines, shapes, pixel_max, lengths)
    frames_first = layout.shape if len(layout.shape) >= 3 else (1, 1, 1)
    numbers = rated(lines if layout.shape else (), targets, lengths, frames_first[0], meta.interval_s)
    problems += [*others, *(interval_faults(lines, lengths, layout.shape[0]) if layout.shape and not targets else [])]
    problems += numbers.problems
    files = {folder / line.get(key) for line in lines for key in ("eeg", "video", "features") if line.get(key)}
    return TrialTable(
        str(folder / "manifest.csv"),
        tuple(_row(layout, line, numbers) for line in lines),
        meta.interval_s,
        frames_first[0],
        frames_first[1],
        tuple(frames_first[2:]),
        tuple(sorted({folder / "meta.yaml", folder / "manifest.csv", *files, *numbers.files})),
        tuple(problems),
        (*meta.notices, *unread(lines, COLUMNS, targets), *numbers.notices),
        tuple(targets),
    )


def _layout(
    folder: Path,
    meta: Meta,
    lines: Sequence[Line],
    shapes: Mapping[str, tuple[int, ...]],
    pixel_max: float | None,
    lengths: Mapping[str, int],
) -> tuple[Layout, list[Problem]]:
    """What the trials share; those that do not share it are named beside the one that they differ from."""
    shown = [line for line in lines if shapes[line.where]]
    if not shown:
        what = "no trial has frames"
        problems = [Problem(what, str(folder / "manifest.csv"), "fill in `video` or `features`")] if lines else []
        return Layout(folder, meta, (), pixel_max), problems
    first, problems = shapes[shown[0].where], []
    for line in shown:
        shape = shapes[line.where]
        if shape[2:] != first[2:]:
            what = f"frames of shape {shape[2:]}, those of trial `{shown[0].trial_id}` have {first[2:]}"
            problems.append(Problem(what, line.where, "all trials need frames of one kind and size"))
        elif shape[0] != first[0] and not lengths:
            what = f"{shape[0]} intervals, trial `{shown[0].trial_id}` has {first[0]}"
            problems.append(Problem(what, line.where, CUT_OR_PAD))
    most = max(shapes[line.where][1] for line in shown)
    intervals = max(lengths.values(), default=first[0])
    return Layout(folder, meta, (intervals, most, *first[2:]), pixel_max, lengths), problems


def _lengths(folder: Path, meta: Meta, lines: Sequence[Line], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Intervals of each line's trial: of its frames, or of its EEG where it has none; that this fills them to the
    sample is checked when it is read."""
    found = {}
    for line in lines:
        if shapes[line.where]:
            found[line.where] = shapes[line.where][0]
        else:
            shape = array_shape(folder / line.cells["eeg"], "eeg")
            found[line.where] = max(1, round(shape[-1] / meta.rate_hz / meta.interval_s)) if shape else 1
    return found


def write_folder(folder: Path, meta: Mapping[str, object], trials: Sequence[Mapping[str, Any]]) -> None:
    """Writes trials as a native folder. Each gives the manifest's columns but the files, and the arrays by their
    names."""
    folder.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    with (folder / "meta.yaml").open("w", encoding="utf-8") as file:
        yaml.dump({key: meta[key] for key in META_KEYS}, file)
    kind = "features" if any("features" in trial for trial in trials) else "video"
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS[:5], kind, *COLUMNS[5:]])
        writer.writeheader()
        for trial in trials:
            name = f"{trial['trial_id']}.npz"
            arrays = {key: trial[key] for key in ("eeg", "video", "features", "frame_mask", "frame_t") if key in trial}
            np.savez(folder / name, **arrays)
            row = {key: trial.get(key, 0 if key.startswith("t0") else "") for key in COLUMNS}
            writer.writerow({**row, "eeg": name, kind: name if kind in trial else ""})


def _row(layout: Layout, line: Line, numbers: Rated) -> TrialRow:
    meta, file = layout.meta, layout.folder / line.cells["eeg"]
    found = _frame_file(layout.folder, line)

    def eeg() -> NDArray[np.floating]:
        stored = read_array(file, "eeg")
        if stored.dtype.kind not in "iuf":
            raise AblateError(f"eeg of type {stored.dtype}, expected numbers", where=str(file))
        return np.asarray(np.asarray(stored, dtype=np.float64) * meta.scale)  # an array, also of a single number

    def content() -> bytes:
        frames, mask = _frames(layout, line)
        return hash_of(frames[mask], mask)

    return TrialRow(
        line.trial_id,
        line.cells["subject"],
        line.get("label"),
        line.where,
        EegFile(str(file), meta.rate_hz, meta.channels, line.names("bads")),
        eeg,
        lambda: _frames(layout, line),
        lambda: _mask(layout, line),
        content,
        "" if found is None else str(found[0]),
        interval_labels=line.interval_labels(),
        values=numbers.by_line.get(line.where, ()),
        offset_s=None if found is None else line.seconds("t0_video_s") - line.seconds("t0_eeg_s"),
        seconds=None if line.where not in layout.lengths else layout.lengths[line.where] * meta.interval_s,
    )


def _faults(folder: Path, line: Line) -> list[Problem]:
    """Missing files, and times that are no numbers."""
    found = number_faults(line, ("t0_eeg_s", "t0_video_s"))
    for key in ("eeg", "video", "features"):
        name = line.get(key)
        if name and not (folder / name).is_file():
            found.append(Problem(f"there is no file {name}", line.where, "files are relative to the manifest"))
        if key == "eeg" and not name:
            found.append(Problem("a trial without EEG", line.where, "every trial needs EEG; only video may be absent"))
    return list(dict.fromkeys(found))


def _frame_file(folder: Path, line: Line) -> tuple[Path, str] | None:
    """Where a trial's frames are, and under which name; None if it has none."""
    for key in ("features", "video"):
        if line.get(key):
            return folder / line.cells[key], key
    return None


def _shape(folder: Path, line: Line) -> tuple[int, ...]:
    """(i, f, d) or (i, f, 3, h, w) of a trial's frames from the file's header; empty if it has none."""
    found = _frame_file(folder, line)
    if found is None:
        return ()
    shape = array_shape(*found)
    return (*shape[:2], *frame_shape(shape, found[1], str(found[0])))


def _mask(layout: Layout, line: Line) -> NDArray[np.bool_]:
    """Which of a trial's frames are valid; none where it has no video.

    Raises AblateError for frames that were not shown in the interval that they stand in.
    """
    found = _frame_file(layout.folder, line)
    if found is None:
        return np.zeros((layout.lengths.get(line.where, layout.shape[0]), layout.shape[1]), dtype=np.bool_)
    mask = np.asarray(as_mask(read_array(found[0], "frame_mask"), array_shape(*found)[:2], str(found[0])))
    times = read_array(found[0], "frame_t", optional=True)
    if times is not None:
        _check_times(times, mask, layout, line)
    return mask


def _check_times(times: NDArray[np.generic], mask: NDArray[np.bool_], layout: Layout, line: Line) -> None:
    """Raises AblateError if a valid frame was not shown in the interval that it stands in, or nobody knows when."""
    trial = f"trial {line.trial_id}"
    if times.shape != mask.shape or times.dtype.kind not in "iuf":
        what = f"frame_t of shape {times.shape} and type {times.dtype} for frames {mask.shape}"
        raise AblateError(what, where=trial, hint="seconds since t0_video_s, one for each frame")
    seconds = np.asarray(times, dtype=np.float64)
    if not np.isfinite(seconds[mask]).all():
        i, f = (int(index[0]) for index in np.nonzero(mask & ~np.isfinite(seconds)))
        what = f"frame {f} of interval {i} is valid, but its time in frame_t is NaN or infinity"
        raise AblateError(what, where=trial, hint="give its time, or mark it as False in frame_mask")
    for i, (own, here) in enumerate(zip(seconds, mask, strict=True)):
        if (np.diff(own[here]) < 0).any():
            what = f"frames of interval {i} do not stand in the order of their times in frame_t"
            raise AblateError(what, where=trial, hint="mixers read frames in their order: sort them by time")
    since_eeg, interval_s = seconds + line.seconds("t0_video_s") - line.seconds("t0_eeg_s"), layout.meta.interval_s
    start, slack = np.arange(len(mask))[:, None] * interval_s, SLACK * interval_s
    outside = mask & ((since_eeg < start - slack) | (since_eeg >= start + interval_s + slack))
    if outside.any():
        i, f = (int(index[0]) for index in np.nonzero(outside))
        raise AblateError(
            f"frame {f} of interval {i} was shown {since_eeg[i, f]:.3f} s after the first EEG sample, "
            f"outside [{start[i, 0]:g}, {start[i, 0] + interval_s:g})",
            where=trial,
            hint="check t0_eeg_s and t0_video_s (seconds), and into which interval each frame was put",
        )


def _frames(layout: Layout, line: Line) -> Frames:
    """A trial's frames and which are valid."""
    found = _frame_file(layout.folder, line)
    if found is None:
        shape = (layout.lengths.get(line.where, layout.shape[0]), *layout.shape[1:])
        if len(shape) == 5:
            return no_frames((*shape[:2], *shape[3:], 3), np.uint8)
        return no_frames(shape, np.float32)
    mask = _mask(layout, line)
    frames = clean(read_array(*found), mask, found[1], f"{found[0]} (trial {line.trial_id})", layout.pixel_max)
    return frames, mask
