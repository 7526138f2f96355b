"""One session as arrays: what was shown, what was counted, and what the animal did."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from ablate.contract import SessionSpec
from ablate.disk.read import Json

Array = np.ndarray

Signal = Literal["spikes", "calcium"]
"""spikes: whole counts. calcium: what fluorescence was deconvolved to, any number from zero on, in `spikes.npy` too."""

OPTIONAL = ("behavior", "behavior_valid", "valid", "trials", "split", "rates", "floor_rates")
"""Arrays with a row a bin, beside stimulus and spikes."""
REPEATED = ("repeats", "repeat_stimulus")
"""Arrays with their own clock: the counts of every showing of one stimulus, and that stimulus."""


@dataclass(frozen=True)
class Recording:
    """One session. Arrays are memory maps where the recording was read from a folder.

    behavior_valid: (t, k) where behaviour was measured; False in a blink. split: (t,) the user's own labels, 0
    train, 1 validation, 2 test, -1 none. repeats: (r, t, u) counts of every showing of repeat_stimulus (t, h, w);
    never trained on. unread: what else lies in the folder. unit_table: columns of what another lab's file says of
    each unit, to be written as units.csv; of a folder it is read when asked for.
    """

    name: str
    bin_rate_hz: float
    stimulus: Array
    spikes: Array
    behavior: Array | None = None
    behavior_valid: Array | None = None
    valid: Array | None = None
    trials: Array | None = None
    split: Array | None = None
    rates: Array | None = None
    floor_rates: Array | None = None
    repeats: Array | None = None
    repeat_stimulus: Array | None = None
    behavior_names: tuple[str, ...] = ()
    signal: Signal = "spikes"
    notes: Json = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    unit_table: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        return int(self.stimulus.shape[0])

    @property
    def units(self) -> int:
        return int(self.spikes.shape[1])

    @property
    def behaviors(self) -> int:
        return 0 if self.behavior is None else int(self.behavior.shape[1])

    def told(self, what: str) -> tuple[str, ...]:
        """What a reader wrote into the notes: what was `read`, `inferred`, `not_used`; a user may have a text there."""
        lines = self.notes.get(what) or ()
        return tuple(map(str, lines)) if isinstance(lines, list | tuple) else (str(lines),)

    @property
    def measured_behavior(self) -> Array | None:
        """Behaviour with zero where it was not measured, which may be NaN in the file."""
        if self.behavior is None or self.behavior_valid is None:
            return self.behavior
        return np.where(self.behavior_valid, self.behavior, np.float32(0))

    def arrays(self, *names: str) -> Iterator[tuple[str, Array]]:
        """Those of the named arrays that this recording has, in this order."""
        return ((name, vars(self)[name]) for name in names if vars(self)[name] is not None)

    def session_spec(self, mean_rate: tuple[float, ...]) -> SessionSpec:
        """What a model must know of this recording."""
        _, height, width = self.stimulus.shape
        return SessionSpec(self.name, height, width, self.units, self.behaviors, self.bin_rate_hz, mean_rate)

    def first(self, frames: int | None) -> "Recording":
        """The first frames only."""
        if frames is None or frames >= self.frames:
            return self
        parts = {name: part[:frames] for name, part in self.arrays("stimulus", "spikes", *OPTIONAL)}
        return replace(self, **parts)  # type: ignore[arg-type]  # arrays by the names of their fields
