"""What a model said of every label of a split, to be kept beside its score: any other figure follows from it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIGITS = 6


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
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["subject", "trial", "place", "label", "guess", *(f"p({name})" for name in self.classes)])
        probability, guesses = np.exp(self.log_probability), self.guess
        for row in range(len(self)):
            session, entry = int(self.session[row]), int(self.entry[row])
            trial = str(entry) if trials is None else trials[session][entry]
            label, guess = self.classes[self.label[row]], self.classes[guesses[row]]
            numbers = [f"{value:.{DIGITS}f}" for value in probability[row]]
            writer.writerow([self.sessions[session], trial, int(self.place[row]), label, guess, *numbers])
        return out.getvalue()
