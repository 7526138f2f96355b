"""open-retina: an HDF5 file a session, stimuli as .npy beside it.

    <dir>/stimuli/<name>.npy (c, t, h, w)
    <dir>/<session>.h5: responses_<name> (n, t), optional stimulus_<name> (c, t, h, w), session_info/*

Several stimuli of a session are laid one after the other as trials, in the order of their names. Several colour
channels need `channel`, since a model here sees one.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from ablate.data.formats.base import FormatConfig, session_name
from ablate.data.formats.reading.library import needed
from ablate.data.formats.reading.numbers import numbers
from ablate.data.formats.reading.story import Story
from ablate.data.recording import Recording
from ablate.data.recording.array_file import map_array
from ablate.data.recording.session import Signal
from ablate.disk.listing import visible
from ablate.errors import AblateError

if TYPE_CHECKING:
    from h5py import File as HdfFile
else:  # an extra, imported when a file is read
    HdfFile = object

RESPONSES, STIMULUS, INFO = "responses_", "stimulus_", "session_info"
STIMULI = "stimuli"
"""The folder beside a session with the stimuli that it shares with others."""
RATES = ("bin_rate_hz", "sampling_rate", "frame_rate", "fps", "rate_hz", "stimulus_frame_rate")
SUFFIXES = (".h5", ".hdf5")


class OpenRetinaConfig(FormatConfig):
    """Sessions of open-retina (HDF5 with `responses_<name>`, stimuli beside it)."""

    type: Literal["openretina"] = "openretina"  # type: ignore[assignment]  # one name a format
    stimuli: tuple[str, ...] = ()
    """Which `responses_<name>` are read. Default: all."""
    channel: int | Literal["mean"] | None = None
    """Which colour channel of the stimulus, or their mean. Needed where there are several."""
    bin_rate_hz: float | None = Field(default=None, gt=0)
    """Frames a second, where `session_info` does not say it."""
    signal: Signal | None = None
    """spikes or calcium. Default: spikes where all responses are whole numbers, else calcium."""

    def files_of(self, place: Path) -> tuple[Path, ...]:
        return (place, place.parent / STIMULI)

    @staticmethod
    def is_one(place: Path) -> bool:
        """Also a file that cannot be looked into, where h5py is not installed: reading it says so."""
        if not place.is_file() or place.suffix not in SUFFIXES:
            return False
        try:
            import h5py
        except ImportError:
            return True
        try:
            with h5py.File(place) as file:
                return any(name.startswith(RESPONSES) for name in file)
        except OSError:
            return False

    def read(self, place: Path) -> Recording:
        return read_openretina(place, self)


def read_openretina(place: Path, config: OpenRetinaConfig | None = None) -> Recording:
    """Raises AblateError for what is missing or does not fit, with its name."""
    config, story = config or OpenRetinaConfig(), Story()
    h5py = needed("h5py", "h5")
    try:
        with h5py.File(place) as file:
            return _recording(file, place, config, story)
    except OSError as error:
        raise AblateError(f"is no HDF5 file: {error}", where=str(place)) from error


def _recording(file: HdfFile, place: Path, config: OpenRetinaConfig, story: Story) -> Recording:
    there = sorted(name.removeprefix(RESPONSES) for name in file if name.startswith(RESPONSES))
    absent = [name for name in config.stimuli if name not in there]
    if absent:
        hint = f"it has {', '.join(there)}"
        raise AblateError(f"has no {RESPONSES}{absent[0]}", where=str(place), hint=hint)
    names = [name for name in there if not config.stimuli or name in config.stimuli]
    frames: list[np.ndarray] = []
    responses: list[np.ndarray] = []
    for name in names:
        movie = _movie(file, place, name, config.channel, story)
        answers = _answers(file[f"{RESPONSES}{name}"], f"{place}: {RESPONSES}{name}")
        if len(answers) != len(movie):
            what = f"has {len(answers)} bins, and its stimulus {len(movie)} frames"
            raise AblateError(what, where=f"{place}: {RESPONSES}{name}", hint="axes are (n, t)")
        for kind, parts, part in (("pixels", frames, movie), ("neurons", responses, answers)):
            if parts and parts[0].shape[1:] != part.shape[1:]:
                what = f"stimulus {name} has {part.shape[1:]} {kind}, {names[0]} has {parts[0].shape[1:]}"
                raise AblateError(what, where=str(place), hint=f"choose some by `stimuli: [{names[0]}]`")
        frames.append(movie)
        responses.append(answers)
    spikes = np.concatenate(responses)
    signal = config.signal or ("spikes" if np.array_equal(spikes, np.floor(spikes)) else "calcium")
    rate = _rate(file, place, config.bin_rate_hz, story)
    story.read.insert(0, f"{len(names)} stimuli, one after the other as trials: {', '.join(names)}")
    story.read.insert(1, f"{spikes.shape[1]} neurons, {len(spikes)} frames at {rate:g} Hz")
    if config.signal is None:
        what = "whole numbers, so they are counts" if signal == "spikes" else "no whole numbers, so they are calcium"
        story.inferred.append(f"responses are {what}")
    story.inferred.append("frame and response of one index are one bin; time zero is the first frame")
    _name_unused(file, names, place, story)
    return Recording(
        name=session_name(place),
        bin_rate_hz=rate,
        stimulus=np.concatenate(frames),
        spikes=spikes if signal == "calcium" else spikes.astype(np.uint16),
        trials=np.repeat(np.arange(len(names)), [len(one) for one in frames]),
        signal=signal,
        notes=story.notes("openretina"),
    )


def _movie(file: HdfFile, place: Path, name: str, channel: int | str | None, story: Story) -> np.ndarray:
    """(t, h, w) of the session's own stimulus, or of the one in `stimuli/`."""
    own, beside = f"{STIMULUS}{name}", place.parent / STIMULI / f"{name}.npy"
    if own in file:
        where, movie = f"{place}: {own}", np.asarray(file[own])
        if beside.is_file():
            story.inferred.append(f"{name}: the session's own {own}, not stimuli/{name}.npy, which is there too")
    elif beside.is_file():
        where, movie = str(beside), map_array(beside)
    else:
        hint = f"write it to stimuli/{name}.npy, or to {own} in the file"
        raise AblateError(f"the stimulus of {RESPONSES}{name} is missing", where=str(place), hint=hint)
    movie = numbers(movie, where, "(c, t, h, w)")
    channels = movie.shape[0]
    if channel is None and channels > 1:
        hint = f"write `channel: 0` (to {channels - 1}) or `channel: mean`"
        raise AblateError(f"has {channels} colour channels, and a model here sees one", where=where, hint=hint)
    if isinstance(channel, int) and not 0 <= channel < channels:
        raise AblateError(f"has no channel {channel}", where=where, hint=f"it has 0 to {channels - 1}")
    if channel == "mean":
        return np.asarray(movie.mean(axis=0, dtype=np.float32))
    chosen = np.asarray(movie[channel or 0])
    if channels > 1:
        story.unused.append(f"{name}: colour channels other than {channel}")
    return chosen if chosen.dtype == np.uint8 else chosen.astype(np.float32)


def _answers(dataset: object, where: str) -> np.ndarray:
    """(t, n)."""
    return numbers(dataset, where, "(n, t)").T.astype(np.float32)


def _rate(file: HdfFile, place: Path, given: float | None, story: Story) -> float:
    info = file.get(INFO, {})
    said = {name: info[name] for name in RATES if name in info}
    # the group may be absent ({}), and its entries are numbers or h5py's data sets
    said |= {name: info.attrs[name] for name in RATES if hasattr(info, "attrs") and name in info.attrs}
    rates = {name: _number(value, f"{place}: {INFO}/{name}") for name, value in said.items()}
    if given is not None:
        for name, rate in rates.items():
            if abs(rate / given - 1) > 1e-3:
                raise AblateError(f"{INFO}/{name} is {rate:g}, and `bin_rate_hz` {given:g}", where=str(place))
        return given
    if not rates:
        hint = "write `bin_rate_hz: 30`, the frames a second"
        raise AblateError(f"{INFO} does not tell the rate of the frames", where=str(place), hint=hint)
    name, rate = next(iter(rates.items()))
    story.inferred.append(f"{rate:g} Hz by {INFO}/{name}")
    return rate


def _number(value: object, where: str) -> float:
    """A scalar dataset, or attribute."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "uif" or not array.item() > 0:
        raise AblateError(f"must be one number above zero, not {array!r:.60}", where=where)
    return float(array.item())


def _name_unused(file: HdfFile, names: list[str], place: Path, story: Story) -> None:
    used = {f"{before}{name}" for name in names for before in (RESPONSES, STIMULUS)}
    for name in file:
        if name == INFO:
            others = [key for key in file[name] if key not in RATES]
            story.unused += [f"{INFO} ({', '.join(others)})"] if others else []
        elif name not in used:
            story.unused.append(name)
    stimuli = place.parent / STIMULI
    others = [path.name for path in visible(stimuli) if path.suffix == ".npy" and path.stem not in names]
    story.unused += [f"stimuli/{name}" for name in others]
