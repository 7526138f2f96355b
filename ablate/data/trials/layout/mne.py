"""EEG in MNE's files (.fif, .bdf) with a film (.mp4) beside, matched by time.

    manifest.csv   trial_id, subject, label, eeg, video, t0_eeg_s, t0_video_s, seconds

t0_eeg_s: start of the trial in the EEG file, seconds. t0_video_s: the same moment in the film. A trial with an empty
cell in `video` has none. Needs the extras [eeg] and [video].
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ablate.data.trials.layout.film import FilmStyle, Stretch, read_frames, read_mask
from ablate.data.trials.layout.table import Frames, TrialRow, TrialTable, no_frames, trimmed
from ablate.errors import AblateError

COLUMNS = ("trial_id", "subject", "label", "eeg", "video", "t0_eeg_s", "t0_video_s", "seconds")


def read_folder(folder: Path, interval_s: float, style: FilmStyle) -> TrialTable:
    """The trials of the manifest. Raises AblateError for missing columns, files or extras."""
    file = folder / "manifest.csv"
    if not file.is_file():
        raise AblateError("there is no manifest.csv", where=str(folder), hint=f"with the columns {', '.join(COLUMNS)}")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.DictReader(opened))
    missing = [name for name in COLUMNS if not lines or name not in lines[0]]
    if missing:
        raise AblateError(
            f"without the columns {', '.join(missing)}", where=str(file), hint="see ablate.data.trials.layout.mne"
        )
    raw = open_eeg(folder / lines[0]["eeg"])
    rate, channels = float(raw.info["sfreq"]), tuple(raw.ch_names)
    intervals = {round(float(line["seconds"]) / interval_s) for line in lines}
    if len(intervals) != 1:
        raise AblateError(
            f"trials of {sorted(intervals)} intervals", where=str(file), hint="cut all to the same seconds"
        )
    count = intervals.pop()
    rows = tuple(_row(folder, line, count, interval_s, rate, style) for line in lines)
    return TrialTable(rows, rate, channels, interval_s, count, style.frames, (3, style.size, style.size))


def _row(
    folder: Path, line: dict[str, str], intervals: int, interval_s: float, rate: float, style: FilmStyle
) -> TrialRow:
    samples = round(intervals * interval_s * rate)
    shape = (intervals, style.frames, style.size, style.size, 3)
    shown = None
    if line["video"]:
        shown = Stretch(folder / line["video"], float(line["t0_video_s"]), intervals, interval_s)

    def eeg() -> Any:
        raw = open_eeg(folder / line["eeg"])
        first = round(float(line["t0_eeg_s"]) * rate)
        return trimmed(raw.get_data(start=first, stop=first + samples) * 1e6, samples, line["trial_id"])  # volts

    def frames() -> Frames:
        return no_frames(shape, np.uint8) if shown is None else read_frames(shown, style)

    def mask() -> np.ndarray:
        return no_frames(shape, np.uint8)[1] if shown is None else read_mask(shown, style)

    return TrialRow(line["trial_id"], line["subject"], line["label"], eeg, frames, mask)


def open_eeg(file: Path) -> Any:
    """MNE's raw object, EEG channels only."""
    try:
        import mne
    except ImportError as error:
        raise AblateError(
            "reading .fif and .bdf needs MNE", where=str(file), hint="pip install 'ablate[eeg]'"
        ) from error
    try:
        return mne.io.read_raw(file, verbose="error").pick("eeg")
    except (OSError, ValueError) as error:
        raise AblateError(f"MNE cannot read it: {error}", where=str(file)) from error
