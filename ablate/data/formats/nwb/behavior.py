"""Series of processing modules with few columns: running, pupil, eye position."""

import numpy as np

from ablate.data.formats.nwb.opened import NWBContainer, NWBFile, TimeSeries, held
from ablate.data.formats.nwb.stimulus import times_of
from ablate.data.formats.reading.story import Story
from ablate.data.formats.reading.timing import Bins, means_in
from ablate.errors import AblateError

MOST_COLUMNS = 8
"""A series of more is no behaviour: traces of cells, a spectrogram."""
NOT_BEHAVIOR = ("RoiResponseSeries", "AnnotationSeries", "ElectricalSeries", "ImageSeries", "SpikeEventSeries")


def behavior_series(file: NWBFile) -> tuple[dict[str, TimeSeries], list[str]]:
    """Candidates by `module/series`, and the series that are none."""
    found, others = {}, []
    for module in (file.processing or {}).values():
        for one in _series_in(module):
            name = f"{module.name}/{one.name}"
            shape = np.shape(one.data)
            few = len(shape) == 1 or (len(shape) == 2 and shape[1] <= MOST_COLUMNS)
            numbers = np.asarray(one.data[:1]).dtype.kind in "uifb" if len(shape) and shape[0] else False
            if one.neurodata_type in NOT_BEHAVIOR or not few or not numbers:
                others.append(f"processing/{name}")
            else:
                found[name] = one
    return found, others


def read_behavior(
    file: NWBFile, names: tuple[str, ...] | None, bins: Bins, story: Story
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """(t, k) means of each bin, and the columns' names. Raises AblateError for a name that is not there."""
    found, others = behavior_series(file)
    absent = [name for name in names or () if name not in found]
    if absent:
        hint = f"there are {', '.join(found)}" if found else "no series of few columns is in a processing module"
        raise AblateError(f"holds no behaviour `{absent[0]}`", hint=hint)
    columns, labels = [], []
    for name, series in found.items():
        if names is not None and name not in names:
            others.append(f"processing/{name}")
            continue
        times = times_of(series)
        if times[-1] < bins.edges[0, 0] or times[0] > bins.edges[-1, 1]:
            if names is not None:
                raise AblateError("was not measured while the stimulus was shown", where=name)
            others.append(f"processing/{name} (not measured while the stimulus was shown)")
            continue
        values = np.asarray(series.data[:], np.float64).reshape(len(times), -1)
        values = values * float(held(series, "conversion") or 1.0) + float(held(series, "offset") or 0.0)
        means, empty = _means(times, values, bins, name)
        columns.append(means)
        stem = name.rpartition("/")[2]
        labels += [stem] if means.shape[1] == 1 else [f"{stem}_{k}" for k in range(means.shape[1])]
        unit = f", {series.unit}" if held(series, "unit") else ""
        story.read.append(f"behaviour: {name}{unit}, the mean of the samples of each bin")
        if empty:
            story.inferred.append(f"{empty} bins have no sample of {name}: the last one before stands in")
    story.unused += others
    return (np.concatenate(columns, axis=1).astype(np.float32), tuple(labels)) if columns else (None, ())


def _means(times: np.ndarray, values: np.ndarray, bins: Bins, name: str) -> tuple[np.ndarray, int]:
    try:
        return means_in(times, values, bins)
    except AblateError as error:
        raise AblateError(error.problems[0].what, where=name) from None


def _series_in(container: NWBContainer) -> list[TimeSeries]:
    """Every time series in a module, in whatever it is wrapped."""
    found = []
    for child in container.children:
        # a series is known by its entries, for extensions of NWB have types of their own
        if hasattr(child, "data") and (hasattr(child, "timestamps") or hasattr(child, "rate")):
            found.append(child)
        else:
            found += _series_in(child)
    return sorted(found, key=lambda one: str(one.name))
