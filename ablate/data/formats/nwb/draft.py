"""What an NWB file holds that could be read, and a draft of the settings that choose among it."""

from pathlib import Path

import numpy as np

from ablate.data.formats.nwb.behavior import behavior_series
from ablate.data.formats.nwb.opened import opened
from ablate.data.formats.nwb.stimulus import candidates
from ablate.disk.header import as_scalar


def draft_lines(place: Path) -> list[str]:
    """Candidates for stimulus and behaviour, the units, and a mapping to copy into a recipe."""
    with opened(place) as file:
        stimuli, _ = candidates(file)
        series, _ = behavior_series(file)
        units = 0 if file.units is None else len(file.units)
        lines = [f"units: {units}" + ("" if units else " (there is nothing to predict)"), "stimuli with frames:"]
        lines += [f"  {one.name}: {one.kind}, {one.onsets} onsets, frames {one.shape}" for one in stimuli] or ["  none"]
        lines.append("behaviour:")
        lines += [f"  {name}: {np.shape(one.data)} {one.unit or ''}".rstrip() for name, one in series.items()] or [
            "  none"
        ]
        lines += ["draft of a mapping:", "  data:", "    type: nwb", f"    path: {as_scalar(str(place))}"]
        names = [one.name for one in stimuli]
        if names:
            others = f"  # or {', '.join(names[1:])}" if len(names) > 1 else ""
            lines.append(f"    stimulus: {as_scalar(names[0])}{others}")
        lines.append("    axes: tyx  # rows first; txy: columns first")
        if series:
            lines.append(f"    behavior_from: [{', '.join(map(as_scalar, series))}]")
        return lines
