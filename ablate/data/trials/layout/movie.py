"""EEG in MNE's files (.fif, .bdf) with a film (.mp4) beside, matched by time.

    manifest.csv   trial_id, subject, label, eeg, video, t0_eeg_s, t0_video_s, seconds

t0_eeg_s: start of the trial in the EEG file, seconds. t0_video_s: the same moment in the film. Frames are put into
intervals
by the film's own timestamps, never by counting frames, since films drop and repeat them. Needs the extras [eeg] and
[video].
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ablate.data.trials.layout.table import Frames, TrialRow, TrialTable, by_interval, trimmed
from ablate.errors import AblateError

COLUMNS = ("trial_id", "subject", "label", "eeg", "video", "t0_eeg_s", "t0_video_s", "seconds")
FRAME_SIZE = 224  # pixels: what CLIP looks at; films are scaled as they are decoded, to bound the memory


def read_folder(folder: Path, interval_s: float) -> TrialTable:
    """The trials of the manifest. Raises AblateError for missing columns, files or extras."""
    file = folder / "manifest.csv"
    if not file.is_file():
        raise AblateError("there is no manifest.csv", where=str(folder), hint=f"with the columns {', '.join(COLUMNS)}")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.DictReader(opened))
    missing = [name for name in COLUMNS if not lines or name not in lines[0]]
    if missing:
        raise AblateError(
            f"without the columns {', '.join(missing)}", where=str(file), hint="see ablate.data.trials.layout.movie"
        )
    raw = open_eeg(folder / lines[0]["eeg"])
    rate, channels = float(raw.info["sfreq"]), tuple(raw.ch_names)
    intervals = {round(float(line["seconds"]) / interval_s) for line in lines}
    if len(intervals) != 1:
        raise AblateError(
            f"trials of {sorted(intervals)} intervals", where=str(file), hint="cut all to the same seconds"
        )
    count = intervals.pop()
    rows = tuple(_row(folder, line, count, interval_s, rate) for line in lines)
    frames = max(row.frames()[1].shape[1] for row in rows)
    return TrialTable(rows, rate, channels, interval_s, count, frames, (3, FRAME_SIZE, FRAME_SIZE))


def _row(folder: Path, line: dict[str, str], intervals: int, interval_s: float, rate: float) -> TrialRow:
    samples = round(intervals * interval_s * rate)

    def eeg() -> Any:
        raw = open_eeg(folder / line["eeg"])
        first = round(float(line["t0_eeg_s"]) * rate)
        return trimmed(raw.get_data(start=first, stop=first + samples) * 1e6, samples, line["trial_id"])  # volts

    def frames() -> Frames:
        start, seconds = float(line["t0_video_s"]), intervals * interval_s
        film, times = read_film(folder / line["video"], start, start + seconds)
        return by_interval(film, times - start, intervals, interval_s)

    return TrialRow(line["trial_id"], line["subject"], line["label"], eeg, frames, lambda: frames()[1])


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


def read_film(file: Path, start: float, stop: float) -> tuple[np.ndarray, np.ndarray]:
    """Frames (F, h, w, 3) of [start, stop) seconds of a film, and their times."""
    try:
        import av
    except ImportError as error:
        raise AblateError("reading films needs PyAV", where=str(file), hint="pip install 'ablate[video]'") from error
    frames, times = [], []
    try:
        with av.open(str(file)) as film:
            for frame in film.decode(video=0):
                if frame.time is None or frame.time < start:
                    continue
                if frame.time >= stop:
                    break
                small = frame.reformat(width=FRAME_SIZE, height=FRAME_SIZE, format="rgb24")
                frames.append(small.to_ndarray())
                times.append(frame.time)
    except (OSError, ValueError) as error:
        raise AblateError(f"cannot be decoded: {error}", where=str(file)) from error
    if not frames:
        return np.zeros((0, FRAME_SIZE, FRAME_SIZE, 3), dtype=np.uint8), np.zeros(0)
    return np.stack(frames), np.array(times)
