"""Two auditory receptors of a grasshopper, ten seconds each, as the package nitime ships them with its examples.

    grasshopper_stimulus<k>.txt      time (us) and amplitude of the sound's envelope, every 50 us
    grasshopper_spike_times<k>.txt   time of each spike (us), after a header of `#` lines

The amplitude is taken in dB below its largest value, as nitime's own example does (but for a constant), and averaged
over each bin. Source: A. Rokem, S. Watzl, T. Gollisch, M. Stemmler, A. V. Herz and I. Samengo, 2006, J. Neurophysiol.
95:2541, by nitime (Rokem, Trumpis & Pérez 2009), BSD licence.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ablate.data.formats.base import FormatConfig
from ablate.data.formats.reading.story import Story
from ablate.data.formats.reading.timing import counts_in, regular_bins, rising
from ablate.data.recording import Recording
from ablate.errors import AblateError

STIMULUS, SPIKES = "grasshopper_stimulus", "grasshopper_spike_times"
MICROSECONDS = 1e-6


class GrasshopperConfig(FormatConfig):
    """Two receptors of a grasshopper that the package nitime ships (`pip install 'ablate[grasshopper]'`)."""

    type: Literal["grasshopper"] = "grasshopper"  # type: ignore[assignment]  # one name a format
    bin_rate_hz: float = Field(default=1000.0, gt=0, le=20_000)
    """Bins a second."""

    def files_of(self, place: Path) -> tuple[Path, ...]:
        return (place, spikes_of(place))

    @staticmethod
    def is_one(place: Path) -> bool:
        return place.is_file() and place.name.startswith(STIMULUS) and place.suffix == ".txt"

    def read(self, place: Path) -> Recording:
        return read_grasshopper(place, self.bin_rate_hz)

    def places(self) -> tuple[Path, ...]:
        """Without a path: the files that nitime brought."""
        if any((self.path,) if isinstance(self.path, str) else self.path):
            return super().places()
        return tuple(sorted(shipped().glob(f"{STIMULUS}*.txt")))[: self.max_sessions]


def shipped() -> Path:
    """The data folder of the installed nitime, which is not imported. Raises AblateError where it is not installed."""
    spec = find_spec("nitime")
    if spec is None or spec.origin is None:
        hint = "pip install 'ablate[grasshopper]', or give `path: FOLDER` with its files"
        raise AblateError("these recordings come with nitime, which is not installed", where="data.type", hint=hint)
    return Path(spec.origin).parent / "data"


def read_grasshopper(place: Path, bin_rate_hz: float = 1000.0) -> Recording:
    """Raises AblateError where a file is missing or is no table of numbers."""
    table, story = _table(place, columns=2), Story()
    spikes = _table(spikes_of(place), columns=1)[:, 0] * MICROSECONDS
    times, amplitude = rising(table[:, 0] * MICROSECONDS, place.name), table[:, 1]
    if amplitude.min() <= 0:
        raise AblateError("has amplitudes that are not above zero", where=str(place))
    step = float(np.median(np.diff(times)))
    samples = 1 / (bin_rate_hz * step)
    if abs(samples - round(samples)) > 1e-6:
        what = f"has a sample every {step * 1e6:g} us, no whole number of which fills a bin of {1e3 / bin_rate_hz:g} ms"
        raise AblateError(what, where=str(place), hint="choose `bin_rate_hz` accordingly: 1000, 2000, 500")
    level = 20 * np.log10(amplitude / amplitude.max())
    count = len(level) // round(samples)
    frames = level[: count * round(samples)].reshape(count, -1).mean(axis=1)
    bins = regular_bins(float(times[0]), float(times[0]) + count / bin_rate_hz, bin_rate_hz)
    story.read += [f"{len(spikes)} spikes of one receptor", f"the sound's envelope, dB below its maximum, {count} bins"]
    story.inferred.append("time zero is the first sample of the sound, on the clock of the spikes")
    return Recording(
        name=f"receptor_{place.stem.removeprefix(STIMULUS)}",
        bin_rate_hz=bin_rate_hz,
        stimulus=frames.astype(np.float32)[:, None, None],
        spikes=counts_in(spikes, bins).astype(np.uint8)[:, None],
        notes=story.notes(
            "grasshopper",
            float(times[0]),
            species="grasshopper, auditory receptor",
            source="nitime, data of its examples",
            license="BSD-3-Clause",
        ),
    )


def spikes_of(place: Path) -> Path:
    """The spike times of a stimulus' file."""
    return place.with_name(f"{SPIKES}{place.stem.removeprefix(STIMULUS)}.txt")


def _table(path: Path, *, columns: int) -> np.ndarray:
    if not path.is_file():
        raise AblateError("is missing", where=str(path))
    try:
        table = np.loadtxt(path, comments="#", ndmin=2)
    except (ValueError, UnicodeDecodeError) as error:
        raise AblateError(f"is no table of numbers: {str(error).splitlines()[0]}", where=str(path)) from error
    if table.shape[1] != columns or len(table) < 2:
        raise AblateError(f"has {table.shape[1]} columns and {len(table)} rows, not {columns} columns", where=str(path))
    return table
