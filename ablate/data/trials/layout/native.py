"""The native folder of trials, read and written.

    meta.yaml      eeg_rate_hz, channel_names, units (uV, mV, V), interval_s
    manifest.csv   trial_id, subject, session, label, eeg, video or features, t0_eeg_s, t0_video_s; files relative to it
    *.npz, *.h5    eeg (channels, samples); video (i, f, h, w, 3) uint8 or features (i, f, d), frame_mask (i, f),
                   frame_t (i, f) seconds since t0_video_s

One file may hold both EEG and frames. A trial may have no video at all (an empty cell): absent intervals are legal.
"""

import csv
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ablate.data.trials.layout.table import MICROVOLTS, Frames, TrialRow, TrialTable, trimmed
from ablate.errors import AblateError, Problem

META_KEYS = ("eeg_rate_hz", "channel_names", "units", "interval_s")
COLUMNS = ("trial_id", "subject", "session", "label", "eeg", "t0_eeg_s", "t0_video_s")
SLACK = 0.05  # of an interval: frame times are rounded to the video's clock


@dataclass(frozen=True)
class Layout:
    """What all trials of a folder share. scale: to microvolts. shape: of a trial's frames, pads included."""

    folder: Path
    samples: int
    scale: float
    shape: tuple[int, ...]
    interval_s: float


def read_folder(folder: Path) -> TrialTable:
    """The trials of a folder; only headers are read. Raises AblateError with every problem of the manifest at once."""
    meta, lines = _meta(folder / "meta.yaml"), _manifest(folder / "manifest.csv")
    problems = _problems(folder, lines)
    if problems:
        raise AblateError(problems=problems)
    rate, interval_s = float(meta["eeg_rate_hz"]), float(meta["interval_s"])
    shapes = [_shape(folder, line) for line in lines]
    found = {shape[2:] for shape in shapes if shape}
    if len(found) != 1:
        what = "no trial has frames" if not found else f"frames of different shapes: {sorted(found)}"
        raise AblateError(what, where=str(folder / "manifest.csv"), hint="all trials need frames of one size")
    counts = {shape[0] for shape in shapes if shape}
    if len(counts) != 1:
        raise AblateError(
            f"trials of different numbers of intervals: {sorted(counts)}",
            where=str(folder / "manifest.csv"),
            hint="cut all trials to the same length",
        )
    intervals, frames = counts.pop(), max(shape[1] for shape in shapes if shape)
    frame_shape = found.pop()
    samples = round(intervals * interval_s * rate)
    layout = Layout(folder, samples, MICROVOLTS[str(meta["units"])], (intervals, frames, *frame_shape), interval_s)
    rows = tuple(_row(layout, line) for line in lines)
    pixels = len(frame_shape) == 3
    shape = (frame_shape[2], *frame_shape[:2]) if pixels else frame_shape
    return TrialTable(rows, rate, tuple(meta["channel_names"]), interval_s, intervals, frames, shape)


def write_folder(folder: Path, meta: Mapping[str, Any], trials: Sequence[Mapping[str, Any]]) -> None:
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


def _row(layout: Layout, line: Mapping[str, str]) -> TrialRow:
    name = line["trial_id"]

    def eeg() -> NDArray[np.float32]:
        return trimmed(_array(layout.folder / line["eeg"], "eeg") * layout.scale, layout.samples, name)

    def mask() -> NDArray[np.bool_]:
        return _mask(layout, line)

    return TrialRow(name, line["subject"], line["label"], eeg, lambda: _frames(layout, line), mask)


def _meta(file: Path) -> dict[str, Any]:
    try:
        meta = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise AblateError(
            f"cannot be read: {type(error).__name__}", where=str(file), hint="a folder of trials needs meta.yaml"
        ) from error
    missing = [key for key in META_KEYS if not isinstance(meta, dict) or key not in meta]
    if missing:
        raise AblateError(f"without {', '.join(missing)}", where=str(file), hint=f"it needs {', '.join(META_KEYS)}")
    if str(meta["units"]) not in MICROVOLTS:
        raise AblateError(
            f"units `{meta['units']}` are unknown", where=str(file), hint=f"one of {', '.join(MICROVOLTS)}"
        )
    return dict(meta)


def _manifest(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            lines, columns = list(reader), reader.fieldnames or ()
    except OSError as error:
        raise AblateError(
            f"cannot be read: {type(error).__name__}", where=str(file), hint="a folder of trials needs manifest.csv"
        ) from error
    missing = [name for name in COLUMNS if name not in columns]
    if missing or not {"video", "features"} & set(columns):
        lacking = missing or ["video or features"]
        raise AblateError(
            f"without the columns {', '.join(lacking)}", where=str(file), hint=f"it has {', '.join(columns)}"
        )
    if not lines:
        raise AblateError("holds no trial", where=str(file), hint="write one line for each trial")
    return lines


def _problems(folder: Path, lines: Sequence[Mapping[str, str]]) -> tuple[Problem, ...]:
    """Doubled trials, missing files, times that are no numbers: each with its line."""
    found, seen = [], set()
    for number, line in enumerate(lines, start=2):
        where = f"{folder / 'manifest.csv'}:{number}"
        if line["trial_id"] in seen:
            found.append(Problem(f"trial `{line['trial_id']}` stands here twice", where, "give each trial its own id"))
        seen.add(line["trial_id"])
        for key in ("eeg", "video", "features"):
            name = line.get(key) or ""
            if name and not (folder / name).is_file():
                found.append(Problem(f"there is no file {name}", where, "files are relative to the manifest"))
            if key == "eeg" and not name:
                found.append(Problem("a trial without EEG", where, "every trial needs EEG; only video may be absent"))
        for key in ("t0_eeg_s", "t0_video_s"):
            if not _is_number(line[key]):
                found.append(Problem(f"{key} is `{line[key]}`, no number", where, "seconds on a clock that both share"))
    return tuple(found)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _frame_file(folder: Path, line: Mapping[str, str]) -> tuple[Path, str] | None:
    """Where a trial's frames are, and under which name; None if it has none."""
    for key in ("features", "video"):
        if line.get(key):
            return folder / line[key], key
    return None


def _shape(folder: Path, line: Mapping[str, str]) -> tuple[int, ...]:
    """Shape of a trial's frames from the file's header; empty if it has none."""
    found = _frame_file(folder, line)
    if found is None:
        return ()
    shape = _header(*found)
    if len(shape) != (3 if found[1] == "features" else 5):
        expected = "(i, f, d)" if found[1] == "features" else "(i, f, h, w, 3)"
        raise AblateError(f"{found[1]} of shape {shape}, expected {expected}", where=str(found[0]))
    return shape


def _mask(layout: Layout, line: Mapping[str, str]) -> NDArray[np.bool_]:
    """Which of a trial's frames are valid; none where it has no video.

    Raises AblateError for frames that were not shown in the interval that they stand in.
    """
    found = _frame_file(layout.folder, line)
    if found is None:
        return np.zeros(layout.shape[:2], dtype=np.bool_)
    mask, shape = _array(found[0], "frame_mask").astype(np.bool_), _header(*found)[:2]
    if mask.shape != shape:
        raise AblateError(f"frame_mask of shape {mask.shape} for frames {shape}", where=str(found[0]))
    times = _array(found[0], "frame_t", optional=True)
    if times is not None:
        _check_times(times + float(line["t0_video_s"]) - float(line["t0_eeg_s"]), mask, layout, line["trial_id"])
    return np.asarray(mask)


def _check_times(since_eeg: NDArray[np.floating], mask: NDArray[np.bool_], layout: Layout, trial: str) -> None:
    """Raises AblateError if a valid frame was not shown in the interval that it stands in."""
    start, slack = np.arange(layout.shape[0])[:, None] * layout.interval_s, SLACK * layout.interval_s
    outside = mask & ((since_eeg < start - slack) | (since_eeg >= start + layout.interval_s + slack))
    if outside.any():
        i, f = (int(index[0]) for index in np.nonzero(outside))
        raise AblateError(
            f"frame {f} of interval {i} was shown {since_eeg[i, f]:.3f} s after the first EEG sample, "
            f"outside [{start[i, 0]:g}, {start[i, 0] + layout.interval_s:g})",
            where=trial,
            hint="check t0_eeg_s and t0_video_s, and into which interval each frame was put",
        )


def _frames(layout: Layout, line: Mapping[str, str]) -> Frames:
    """A trial's frames and which are valid."""
    found = _frame_file(layout.folder, line)
    if found is None:
        kind = np.uint8 if len(layout.shape) == 5 else np.float32
        return np.zeros(layout.shape, dtype=kind), _mask(layout, line)
    return _array(*found), _mask(layout, line)


def _header(file: Path, name: str) -> tuple[int, ...]:
    """Shape of one array, without reading it."""
    if file.suffix in (".h5", ".hdf5"):
        return tuple(_array(file, name).shape)
    try:
        with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as opened:
            version = np.lib.format.read_magic(opened)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return tuple(read(opened)[0])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return tuple(_array(file, name).shape)  # tells what is wrong


def _array(file: Path, name: str, *, optional: bool = False) -> Any:
    """One array of an .npz or .h5 file. Raises AblateError if it is not there."""
    try:
        if file.suffix in (".h5", ".hdf5"):
            import h5py

            with h5py.File(file) as opened:
                if name in opened:
                    return np.asarray(opened[name])
        else:
            with np.load(file, allow_pickle=False) as opened:
                if name in opened:
                    return opened[name]
    except ImportError as error:
        raise AblateError("reading HDF5 needs h5py", where=str(file), hint="pip install 'ablate[h5]'") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise AblateError(f"cannot be read: {error}", where=str(file), hint="an .npz or .h5 file") from error
    if optional:
        return None
    raise AblateError(
        f"holds no array `{name}`", where=str(file), hint="see the arrays of a native trial in the README"
    )
