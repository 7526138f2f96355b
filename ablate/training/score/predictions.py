"""What a model said of every label or number of a split, kept beside its score: any other figure follows from it."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablate.result.measure.said import Said

DIGITS = 6
MOST_DRAWN = 400
"""Numbers of a target that lie beside a run for its report to draw; predictions.csv holds all of them."""


@dataclass(frozen=True)
class Predictions:
    """Of every valid label, ordered by session, trial and place.

    sessions, classes: names. session: index (N,). entry: the trial's place in its session (N,). place: of the label in
    its trial (N,), the interval where each has one. label: class index (N,). log_probability: (N, classes), nats.
    """

    sessions: tuple[str, ...]
    classes: tuple[str, ...]
    session: NDArray[np.int64]
    entry: NDArray[np.int64]
    place: NDArray[np.int64]
    label: NDArray[np.int64]
    log_probability: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.label)

    @property
    def guess(self) -> NDArray[np.int64]:
        """The most probable class (N,)."""
        return np.asarray(self.log_probability.argmax(axis=1), dtype=np.int64)

    def to_csv(self, trials: Sequence[Sequence[str]] | None) -> str:
        """One label a line. trials: name of each trial of each session, where the data knows them."""
        probability, guesses = np.exp(self.log_probability), self.guess
        lines = (
            (
                *_where(self.sessions, trials, int(self.session[row]), int(self.entry[row])),
                int(self.place[row]),
                self.classes[self.label[row]],
                self.classes[guesses[row]],
                *(f"{value:.{DIGITS}f}" for value in probability[row]),
            )
            for row in range(len(self))
        )
        return _csv(("subject", "trial", "place", "label", "guess", *(f"p({name})" for name in self.classes)), lines)


@dataclass(frozen=True)
class ValuePredictions:
    """Of every valid number, ordered by session, trial, place and target.

    sessions, targets: names. session, entry, place: as above (N,). target: index (N,). value: the number, mean and sd
    what was predicted of it (N,), in its own unit.
    """

    sessions: tuple[str, ...]
    targets: tuple[str, ...]
    session: NDArray[np.int64]
    entry: NDArray[np.int64]
    place: NDArray[np.int64]
    target: NDArray[np.int64]
    value: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.value)

    def some(self) -> tuple[Said, ...]:
        """Of each target all, or of many an even share, as reports draw them."""
        found = []
        for index, name in enumerate(self.targets):
            own = np.flatnonzero(self.target == index)
            kept = own[np.linspace(0, len(own) - 1, min(len(own), MOST_DRAWN)).astype(np.int64)]
            columns = {
                part: tuple(float(f"{value:.{DIGITS}g}") for value in getattr(self, part)[kept])
                for part in ("value", "mean", "sd")
            }
            found.append(Said(name=name, of=len(own), **columns))
        return tuple(found)

    def to_csv(self, trials: Sequence[Sequence[str]] | None) -> str:
        """One number a line. trials: name of each trial of each session, where the data knows them."""
        lines = (
            (
                *_where(self.sessions, trials, int(self.session[row]), int(self.entry[row])),
                int(self.place[row]),
                self.targets[self.target[row]],
                *(f"{column[row]:.{DIGITS}g}" for column in (self.value, self.mean, self.sd)),
            )
            for row in range(len(self))
        )
        return _csv(("subject", "trial", "place", "target", "value", "mean", "sd"), lines)


def _where(
    sessions: Sequence[str], trials: Sequence[Sequence[str]] | None, session: int, entry: int
) -> tuple[str, str]:
    """Subject and trial by name."""
    return sessions[session], str(entry) if trials is None else trials[session][entry]


def _csv(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *lines])
    return out.getvalue()
