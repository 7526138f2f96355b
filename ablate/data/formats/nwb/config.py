"""The settings of NWB files, and one file read."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ablate.data.formats.base import FormatConfig, session_name
from ablate.data.formats.nwb.behavior import read_behavior
from ablate.data.formats.nwb.opened import DynamicTable, NWBFile, opened
from ablate.data.formats.nwb.stimulus import Axes, Candidate, chosen, frames_of
from ablate.data.formats.reading.numbers import TIMES, numbers
from ablate.data.formats.reading.story import Story
from ablate.data.formats.reading.timing import Bins, bins_at, bins_of_frames, counts_of_units, spans_of_frames, within
from ablate.data.recording import Recording
from ablate.data.recording.unit_table import UnitTable
from ablate.errors import AblateError


class NwbConfig(FormatConfig):
    """NWB 2 files: sorted units, one stimulus with frames, behaviour."""

    type: Literal["nwb"] = "nwb"  # type: ignore[assignment]  # one name a format
    stimulus: str | None = None
    """Name of the stimulus, of `stimulus` or of an interval table. Needed where there are several with frames."""
    axes: Axes | None = None
    """tyx: rows first. txy: columns first. Needed where `dimension` does not tell them apart."""
    bin_rate_hz: float | None = Field(default=None, gt=0)
    """Bins a second, where they shall not be the frames of the stimulus."""
    behavior_from: tuple[str, ...] | None = None
    """Series of processing modules, `module/series`, that are read as behaviour. Default: all of few columns."""

    @staticmethod
    def is_one(place: Path) -> bool:
        return place.is_file() and place.suffix == ".nwb"

    def read(self, place: Path) -> Recording:
        return read_nwb(place, self)


def read_nwb(place: Path, config: NwbConfig | None = None) -> Recording:
    """Raises AblateError for what is missing or does not fit, and where one setting has to decide."""
    config, story = config or NwbConfig(), Story()
    with opened(place) as file:
        if file.units is None or "spike_times" not in file.units.colnames:
            raise AblateError("has no units with `spike_times`", where=str(place))
        candidate, others = chosen(file, config.stimulus)
        story.unused += others
        frames, onsets = frames_of(candidate, config.axes, story)
        bins, frames = _bins(candidate, frames, onsets, config.bin_rate_hz, story)
        spikes, valid = _units(file.units, bins, story)
        table = _unit_table(file.units, story)
        behavior, names = read_behavior(file, config.behavior_from, bins, story)
        _name_unused(file, candidate, story)
        description = str(file.session_description or "")
        more = {"session_description": description} if description else {}
        return Recording(
            name=session_name(place),
            bin_rate_hz=round(bins.rate_hz, 4),
            stimulus=frames,
            spikes=spikes,
            behavior=behavior,
            valid=valid,
            trials=bins.trials if bins.gaps else None,
            behavior_names=names,
            notes=story.notes("nwb", float(bins.edges[0, 0]), **more),
            unit_table=table,
        )


def _bins(
    candidate: Candidate, frames: np.ndarray, onsets: np.ndarray, rate_hz: float | None, story: Story
) -> tuple[Bins, np.ndarray]:
    """Bins, and the frame of each."""
    if rate_hz is None:
        bins = bins_of_frames(onsets, candidate.name)
        story.inferred.append(f"a bin is a frame, from its onset to the next one's: {bins.rate_hz:.4g} Hz")
    else:
        bins, shown = bins_at(rate_hz, spans_of_frames(onsets, candidate.name))
        frames = frames[shown]
        story.inferred.append(f"bins of {rate_hz:g} Hz, each with the frame that is on the screen as it begins")
    first, last = bins.edges[0, 0], bins.edges[-1, 1]
    story.read.insert(0, f"stimulus {candidate.name} ({candidate.kind}), {len(frames)} bins")
    story.inferred.append(f"the first bin is at {first:g} s of the file's clock, the last one ends at {last:g} s")
    if bins.gaps:
        story.inferred.append(f"time stands still at {bins.gaps} gaps between frames: trials.npy tells them apart")
    return bins, frames


def _units(units: DynamicTable, bins: Bins, story: Story) -> tuple[np.ndarray, np.ndarray | None]:
    """Counts (t, u), and where each unit was observed. Raises AblateError where no spike meets the stimulus."""
    found = [numbers(one, "units: spike_times", "(n,)", kinds=TIMES, empty=True) for one in units["spike_times"][:]]
    times = [one.astype(np.float64) for one in found]
    wrong = [index for index, one in enumerate(times) if not np.isfinite(one).all()]
    if wrong:
        raise AblateError(f"unit {wrong[0]} has spike times that are not finite", where="units")
    counts = counts_of_units(times, bins, "units")
    story.read.append(f"{len(times)} units, {int(counts.sum())} spikes of {sum(map(len, times))} during the stimulus")
    valid = None
    if "obs_intervals" in units.colnames:
        valid = np.stack([within(one, bins) for one in units["obs_intervals"][:]], axis=1)
        story.read.append(
            f"{100 * (1 - valid.mean()):.1f} % of the bins lie outside `obs_intervals` and are not scored"
        )
    return counts.astype(np.uint16), valid


def _unit_table(units: DynamicTable, story: Story) -> UnitTable:
    """Ids, and every column with one word or number a unit."""
    table, left = {"id": tuple(str(one) for one in units.id[:])}, []
    for name in units.colnames:
        if name in ("spike_times", "obs_intervals"):
            continue
        values = np.asarray(units[name][:]) if f"{name}_index" not in units else np.zeros((0, 0))
        if values.ndim == 1 and values.dtype.kind in "USOiufb":
            table[name] = tuple(one.decode() if isinstance(one, bytes) else str(one) for one in values.tolist())
        else:
            left.append(name)
    kept = [name for name in table if name != "id"]
    story.read += [f"units columns {', '.join(kept)}, for `units: {{quality, file}}`"] if kept else []
    story.unused += [f"units columns {', '.join(left)}"] if left else []
    return table


def _name_unused(file: NWBFile, candidate: Candidate, story: Story) -> None:
    """What else the file holds."""
    story.unused += [f"acquisition/{name}" for name in file.acquisition]
    tables = [name for name in (file.intervals or {}) if name != candidate.name]
    story.unused += [f"intervals/{name}" for name in tables if f"stimulus {name}" not in story.unused]
    if file.trials is not None and "trials" not in tables:
        story.unused.append("trials")
