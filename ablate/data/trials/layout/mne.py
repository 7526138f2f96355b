"""EEG in MNE's files (.fif, .bdf) with a film (.mp4) beside, matched by time.

    manifest.csv   trial_id, subject, label, eeg, video, t0_eeg_s, t0_video_s, seconds

t0_eeg_s: start of the trial in the EEG file, seconds. t0_video_s: the same moment in the film. A trial with an empty
cell in `video` has none. Needs the extras [eeg] and [video].
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.layout.frames.film import FilmStyle, Stretch, read_frames, read_mask, slot_keys
from ablate.data.trials.layout.manifest.lines import Line, interval_faults, number_faults, read_manifest, unread
from ablate.data.trials.layout.manifest.ratings import rated
from ablate.data.trials.layout.table import (
    CUT_OR_PAD,
    EegFile,
    Frames,
    TrialRow,
    TrialTable,
    hash_of,
    no_frames,
    whole_intervals,
)
from ablate.disk.stamp import Look, look_of
from ablate.errors import AblateError, Problem

if TYPE_CHECKING:
    from mne.io import BaseRaw
else:  # an extra, imported when a file is read
    BaseRaw = object

COLUMNS = ("trial_id", "subject", "label", "eeg", "video", "t0_eeg_s", "t0_video_s", "seconds")
OPENED_BY_MNE = "a recording that mne.io.read_raw opens: .fif, .bdf, .edf, .vhdr, .set, ..."


def read_folder(
    folder: Path, interval_s: float, style: FilmStyle, targets: Sequence[str] = (), *, padded: bool = False
) -> TrialTable:
    """The trials of the manifest. padded: they may differ in length. Raises AblateError for a missing manifest or
    extra."""
    file = folder / "manifest.csv"
    lines, problems = read_manifest(file, COLUMNS, targets)
    rows, first = list[TrialRow](), None
    for line in lines:
        faults = [*_faults(folder, line), *_length_faults(line, interval_s)]
        if not faults:
            try:
                count = whole_intervals(line.seconds("seconds"), interval_s) or 1
                first = (line, count) if padded or not first else first
                faults = _misfits(folder, line, count, interval_s, first)
            except AblateError as error:
                faults = list(error.problems)
        problems += faults
        if not faults:
            rows.append(_row(folder, line, count, interval_s, style))
    intervals = max((round((row.seconds or 0) / interval_s) for row in rows), default=1)
    own = {row.where: round((row.seconds or 0) / interval_s) for row in rows}
    numbers = rated([line for line in lines if line.where in own], targets, own, intervals, interval_s)
    problems += [*numbers.problems, *(interval_faults(lines, own, intervals) if rows and not targets else [])]
    names = {folder / line.cells[key] for line in lines for key in ("eeg", "video") if line.cells[key]}
    headers = {Path(row.recording.name) for row in rows}  # of some formats, whose numbers lie in a file beside them
    names |= {Path(one) for header in headers for one in open_eeg(header).filenames if one is not None}
    return TrialTable(
        str(file),
        tuple(replace(row, values=numbers.by_line.get(row.where, ())) for row in rows),
        interval_s,
        intervals,
        style.frames,
        (3, style.size, style.size),
        (file, *sorted(names), *numbers.files),
        tuple(dict.fromkeys(problems)),  # a file that cannot be read stands in many lines
        (*unread(lines, COLUMNS, targets), *numbers.notices),
        tuple(targets),
    )


def _faults(folder: Path, line: Line) -> list[Problem]:
    """Cells that lead to no file, or hold no number."""
    needed = ("t0_eeg_s", "seconds", *(("t0_video_s",) if line.cells["video"] else ()))
    found = number_faults(line, needed)
    if not line.cells["eeg"]:
        found.append(Problem("a trial without EEG", line.where, "every trial needs EEG; only video may be absent"))
    for key in ("eeg", "video"):
        name = line.cells[key]
        if name and not (folder / name).is_file():
            found.append(Problem(f"there is no file {name}", line.where, "files are relative to the manifest"))
    return found


def _length_faults(line: Line, interval_s: float) -> list[Problem]:
    """Seconds that are no whole number of intervals: the next trial's first second would be read as this one's last."""
    try:
        seconds = line.seconds("seconds")
    except ValueError:
        return []
    if seconds > 0 and whole_intervals(seconds, interval_s) is not None:
        return []
    what = f"seconds is {seconds:g}, no whole number of intervals of {interval_s:g} s"
    return [Problem(what, line.where, "change `seconds`, or `data.interval_s`")]


def _misfits(folder: Path, line: Line, intervals: int, interval_s: float, first: tuple[Line, int]) -> list[Problem]:
    """A trial that is longer or shorter than the first one, or that its EEG file does not hold to its end."""
    if intervals != first[1]:
        what = f"{intervals} intervals, trial `{first[0].trial_id}` has {first[1]}"
        return [Problem(what, line.where, CUT_OR_PAD)]
    start, seconds = line.seconds("t0_eeg_s"), intervals * interval_s
    recording, length = eeg_file(folder / line.cells["eeg"]), eeg_seconds(folder / line.cells["eeg"])
    if start >= 0 and round((start + seconds) * recording.rate_hz) <= round(length * recording.rate_hz):
        return []
    what = f"the trial lasts from {start:g} to {start + seconds:g} s, but {line.cells['eeg']} from 0 to {length:g} s"
    return [Problem(what, line.where, "t0_eeg_s counts seconds from the first sample of the file")]


def _row(folder: Path, line: Line, intervals: int, interval_s: float, style: FilmStyle) -> TrialRow:
    file = folder / line.cells["eeg"]
    recording = eeg_file(file)
    samples = round(intervals * interval_s * recording.rate_hz)
    shape = (intervals, style.frames, style.size, style.size, 3)
    shown = None
    if line.cells["video"]:
        shown = Stretch(folder / line.cells["video"], line.seconds("t0_video_s"), intervals, interval_s)

    def eeg() -> NDArray[np.floating]:
        first = round(line.seconds("t0_eeg_s") * recording.rate_hz)
        return np.asarray(open_eeg(file).get_data(start=first, stop=first + samples)) * 1e6  # volts

    def around(before: int, after: int) -> tuple[NDArray[np.floating], int]:
        raw, first = open_eeg(file), round(line.seconds("t0_eeg_s") * recording.rate_hz)
        start, stop = max(first - before, 0), min(first + samples + after, raw.n_times)
        return np.asarray(raw.get_data(start=start, stop=stop)) * 1e6, first - start

    def frames() -> Frames:
        return no_frames(shape, np.uint8) if shown is None else read_frames(shown, style)

    def mask() -> NDArray[np.bool_]:
        return no_frames(shape, np.uint8)[1] if shown is None else read_mask(shown, style)

    return TrialRow(
        line.trial_id,
        line.cells["subject"],
        line.get("label"),
        line.where,
        recording,
        eeg,
        frames,
        mask,
        lambda: hash_of(None) if shown is None else shown.content(),
        "" if shown is None else str(shown.file),
        frame_keys=lambda: slot_keys(shown, style) if shown is not None else np.zeros((*shape[:2], 2), np.uint64),
        interval_labels=line.interval_labels(),
        around=around,
        offset_s=None if shown is None else shown.start - line.seconds("t0_eeg_s"),
        seconds=intervals * interval_s,
    )


def eeg_file(file: Path) -> EegFile:
    """What the header says."""
    raw = open_eeg(file)
    bads = tuple(raw.info["bads"])
    return EegFile(str(file), float(raw.info["sfreq"]), tuple(raw.ch_names), bads, raw.get_montage())


def eeg_seconds(file: Path) -> float:
    """How long the recording is."""
    raw = open_eeg(file)
    return float(raw.n_times / raw.info["sfreq"])


def open_eeg(file: Path) -> BaseRaw:
    """MNE's raw object, EEG channels only; nothing but its header is read. Raises AblateError for what is none."""
    return _opened(file, look_of(file))


@lru_cache(maxsize=256)
def _opened(file: Path, look: Look) -> BaseRaw:
    try:
        import mne
    except ImportError as error:
        raise AblateError(
            "reading .fif and .bdf needs MNE", where=str(file), hint="pip install 'ablate[eeg]'"
        ) from error
    try:
        raw = mne.io.read_raw(file, verbose="error")
    except Exception as error:  # each of MNE's readers fails in its own way at files that are none
        raise AblateError(f"MNE cannot read it: {error}", where=str(file), hint=OPENED_BY_MNE) from error
    kinds = raw.get_channel_types()
    if "eeg" not in kinds:
        what = f"has no channel of type eeg, only {', '.join(sorted(set(kinds)))}"
        raise AblateError(what, where=str(file), hint="raw.set_channel_types(...) in MNE says what they are")
    return raw.pick("eeg")
