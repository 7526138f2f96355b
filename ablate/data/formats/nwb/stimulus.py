"""Which frames were on the screen, and from when: the candidates in an NWB file, and one of them read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from ablate.data.formats.nwb.opened import DynamicTable, NWBContainer, NWBFile, TimeSeries, held
from ablate.data.formats.reading.numbers import TIMES, numbers
from ablate.data.formats.reading.pixels import as_uint8
from ablate.data.formats.reading.story import Story
from ablate.errors import AblateError

Axes = Literal["tyx", "txy"]
Shown = tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int] | None]
COLOURS = (3, 4)
TABLE = "_presentations"
"""How the Allen Institute calls the interval table of the stimulus `natural_movie_one`."""


@dataclass(frozen=True)
class Candidate:
    """A stimulus that could be meant. shape: of its frames, as stored. read: gives frames (n, a, b[, c]), which of them
    is shown at each onset, the onsets in s, and the width and height that the file tells of."""

    name: str
    kind: str
    shape: tuple[int, ...]
    onsets: int
    read: Callable[[], Shown]


def candidates(file: NWBFile) -> tuple[list[Candidate], list[str]]:
    """All that could be the stimulus, by name; and what lies there and cannot, with the reason."""
    found: list[Candidate] = []
    others: list[str] = []
    for series in file.stimulus.values():
        kind = series.neurodata_type
        if kind == "IndexSeries":
            found.append(_indexed(series))
        elif _frames(series) is not None:
            found.append(_shown(series))
        else:
            why = " (frames in external files)" if held(series, "external_file") is not None else ""
            others.append(f"stimulus/{series.name}{why}")
    tables = list(_tables(file))
    found += tables
    used = {name.removesuffix(TABLE) for name in (table.name for table in tables)}
    for name in file.stimulus_template:
        if name not in used:
            others.append(f"stimulus_template/{name}")
    return found, others


def chosen(file: NWBFile, name: str | None) -> tuple[Candidate, list[str]]:
    """The stimulus, and what is not used. Raises AblateError where none is there, or several and none is named."""
    found, others = candidates(file)
    listed = ", ".join(one.name for one in found)
    if name is None and len(found) == 1:
        return found[0], others
    if not found:
        external = [one for one in others if "external" in one]
        hint = f"{external[0]}: write its frames into the file" if external else ""
        raise AblateError("holds no stimulus with frames", hint=hint)
    match = next((one for one in found if one.name == name), None)
    if match is None:
        what = f"holds {len(found)} stimuli with frames" if name is None else f"holds no stimulus `{name}`"
        raise AblateError(what, hint=f"write `stimulus: ...`, one of {listed}")
    return match, [*others, *(f"stimulus {one.name}" for one in found if one is not match)]


def frames_of(candidate: Candidate, axes: Axes | None, story: Story) -> tuple[np.ndarray, np.ndarray]:
    """Frames (n, h, w) in the order of their onsets, and the onsets in s. Raises AblateError where rows and columns
    cannot be told apart."""
    frames, shown, onsets, size = candidate.read()
    if len(frames.shape) == 4 and frames.shape[-1] in COLOURS:
        frames = np.asarray(frames[..., :3], np.float32).mean(axis=-1)
        story.inferred.append("colours are averaged")
    if frames.ndim != 3 or frames.dtype.kind not in "uif":
        raise AblateError(f"has frames of shape {frames.shape[1:]} and type {frames.dtype}", where=candidate.name)
    decided = axes or _axes(frames.shape[1:], size)
    if decided is None:
        told = f"{frames.shape[1]} x {frames.shape[2]}"
        what = f"has frames of {told}, and the file does not tell which axis is the width"
        hint = "write `axes: tyx` where rows come first, as images are mostly stored, or `axes: txy`"
        raise AblateError(what, where=candidate.name, hint=hint)
    if axes is None:
        story.inferred.append(f"axes {decided}: `dimension` says {size[0]} wide, {size[1]} high" if size else decided)
    frames = np.swapaxes(frames, 1, 2) if decided == "txy" else frames
    if len(shown) and (shown.min() < 0 or shown.max() >= len(frames)):
        what = f"shows frame {shown.max() if shown.max() >= len(frames) else shown.min()} of {len(frames)}"
        raise AblateError(what, where=candidate.name)
    return as_uint8(np.ascontiguousarray(frames[shown])), onsets


def times_of(series: TimeSeries) -> np.ndarray:
    """(t,) s of each row of a time series. Raises AblateError where the file tells none."""
    if series.timestamps is not None:
        return numbers(series.timestamps[:], f"{series.name}: timestamps", "(t,)", kinds=TIMES).astype(np.float64)
    if series.rate:
        return float(series.starting_time or 0.0) + np.arange(len(series.data)) / float(series.rate)
    raise AblateError("has neither timestamps nor a rate", where=series.name)


def _axes(shape: tuple[int, ...], size: tuple[int, int] | None) -> Axes | None:
    """None where the file's `dimension` (width, height) decides nothing."""
    if size is None or shape[0] == shape[1]:
        return None
    if tuple(shape) == (size[1], size[0]):
        return "tyx"
    return "txy" if tuple(shape) == tuple(size) else None


# ------------------------------------------------------------------ the three ways in which frames are stored


def _frames(series: TimeSeries) -> Any:  # the data set in the file, untyped as that is
    """The stored frames of a series; None where it has none of its own."""
    data = held(series, "data")
    shape: tuple[int, ...] = held(data, "shape") or ()
    return data if len(shape) in (3, 4) and shape[0] > 0 else None


def _size(series: TimeSeries) -> tuple[int, int] | None:
    size = held(series, "dimension")
    return (int(size[0]), int(size[1])) if size is not None and len(size) == 2 else None


def _shown(series: TimeSeries) -> Candidate:
    data = _frames(series)

    def read() -> Shown:
        times = times_of(series)
        if len(times) != len(data):
            raise AblateError(f"has {len(data)} frames and {len(times)} times", where=series.name)
        return np.asarray(data[:]), np.arange(len(data)), times, _size(series)

    return Candidate(series.name, series.neurodata_type, tuple(data.shape[1:]), len(data), read)


def _indexed(series: TimeSeries) -> Candidate:
    template = series.indexed_images if series.indexed_images is not None else series.indexed_timeseries
    name = held(template, "name") or "nothing"

    def read() -> Shown:
        return _template(template, series.name), _index(series.data[:], series.name), times_of(series), _size(template)

    shape = tuple(_template_shape(template))
    return Candidate(series.name, f"IndexSeries into {name}", shape, len(series.data), read)


def _tables(file: NWBFile) -> Iterator[Candidate]:
    """Interval tables that name a frame of a template."""
    for table in (file.intervals or {}).values():
        columns = table.colnames
        stem = table.name.removesuffix(TABLE)
        templates = file.stimulus_template
        template = templates.get(stem, None)
        if template is None and len(templates) == 1 and table.name.endswith(TABLE):
            template = next(iter(templates.values()))
        if template is None or "frame" not in columns:
            continue
        yield Candidate(
            table.name,
            f"intervals with frames of {template.name}",
            tuple(_template_shape(template)),
            len(table),
            partial(_of_table, table, template),
        )


def _of_table(table: DynamicTable, template: NWBContainer) -> Shown:
    starts, shown = (
        numbers(table[name][:], f"{table.name}: {name}", "(n,)").astype(np.float64) for name in ("start_time", "frame")
    )
    kept = np.isfinite(shown) & (shown >= 0)  # the Allen Institute writes -1 for a blank screen
    order = np.argsort(starts[kept], kind="stable")
    frames = _template(template, table.name)
    return frames, _index(shown[kept][order], table.name), starts[kept][order], _size(template)


def _index(values: object, where: str) -> np.ndarray:
    """(n,) which frame is shown."""
    found = numbers(values, where, "(n,)")
    if not (np.isfinite(found) & (found == np.floor(found))).all():
        raise AblateError("its index of frames holds what is no whole number", where=where)
    return found.astype(np.int64)


def _template(template: NWBContainer, where: str) -> np.ndarray:
    """(n, a, b[, c]) frames of a series, or of a collection of images."""
    data = _frames(template)
    if data is not None:
        return np.asarray(data[:])
    images = list(_images(template))
    if not images:
        raise AblateError("indexes a template without frames", where=where)
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise AblateError(f"indexes images of {len(shapes)} sizes", where=where)
    return np.stack(images)


def _images(template: NWBContainer) -> Iterator[np.ndarray]:
    """In the order in which an index counts them."""
    images = held(template, "images")
    if images is None:
        return
    ordered = held(template, "order_of_images")
    for image in ordered.data if ordered is not None else images.values():
        yield np.asarray(image.data[:])


def _template_shape(template: NWBContainer) -> tuple[int, ...]:
    data = _frames(template)
    if data is not None:
        return tuple(data.shape[1:])
    images = held(template, "images") or {}
    first = next(iter(images.values()), None)
    return () if first is None else tuple(first.data.shape)
