"""What observers of `flipflop` score, exactly: sums over how many frames are valid and how many markers they hold.

    accuracy = a m + (1 - a) (1 - m),   a = Phi(d'/2) the evoked response is seen, m the lamp is guessed

full           m = 1: the newest marker counts
past as a bag  of N markers up to now, in no order, n say on: m = E max(n, N - n) / N; with `toggle` N is enough: m = 1
own interval   knows the lamp where the interval holds a marker, else guesses
own as a bag   the same, in no order
one modality   1/2

All but `full` see frames up to the moment that the label asks for, no later ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablate.data.coincidence.ceiling import response_accuracy
from ablate.data.flipflop.options import FlipflopOptions


@dataclass(frozen=True)
class Levels:
    """Accuracies, means over a trial's intervals."""

    full: float
    past_bag: float
    own: float
    own_bag: float


def levels(config: FlipflopOptions) -> Levels:
    """The exact levels of a test trial."""
    whole = [_markers(config, interval, config.frames) for interval in range(config.intervals)]
    own = [_markers(config, interval, config.frames - config.jitter) for interval in range(config.intervals)]
    if config.toggle:
        past_bag, own_bag = [1.0] * config.intervals, _parity_guesses(whole)
        known = own_bag
    else:
        past = np.ones(1)
        past_bag = []
        for seen, all_of_it in zip(own, whole, strict=True):
            past_bag.append(float(np.convolve(past, seen) @ _majority(len(past) + len(seen) - 1)))
            past = np.convolve(past, all_of_it)
        own_bag = [float(seen @ _majority(len(seen))) for seen in own]
        known = [float(1 - seen[0] / 2) for seen in own]
    return Levels(*(_accuracy(config, lamp) for lamp in ([1.0], past_bag, known, own_bag)))


def _markers(config: FlipflopOptions, interval: int, frames: int) -> NDArray[np.float64]:
    """Chances of 0, 1, ... markers in the first frames of an interval. The first one holds at least one, early
    enough."""
    from scipy import stats  # most of a second that every command would wait for

    chances = np.zeros(config.frames + 1)
    early_frames = config.frames - config.jitter
    lengths = range(config.min_valid, config.frames + 1)
    for length in lengths:
        early = min(length, early_frames)
        late = min(length, frames) - early
        first = stats.binom.pmf(np.arange(config.frames + 1), min(early, frames), config.write)
        if interval == 0:
            first[1] += first[0]
            first[0] = 0.0
        rest = stats.binom.pmf(np.arange(config.frames + 1), late, config.write)
        chances += np.convolve(first, rest)[: config.frames + 1] / len(lengths)
    if interval:
        chances = (1 - config.absent) * chances
        chances[0] += config.absent
    return chances


def _majority(count: int) -> NDArray[np.float64]:
    """For N = 0 ... count - 1 markers in no order: how often the newest is of the kind that most of them are."""
    from scipy import stats  # most of a second that every command would wait for

    guesses = [0.5]
    for total in range(1, count):
        on = np.arange(total + 1)
        guesses.append(float(stats.binom.pmf(on, total, 0.5) @ np.maximum(on, total - on) / total))
    return np.array(guesses)


def _parity_guesses(whole: list[NDArray[np.float64]]) -> list[float]:
    """How often the lamp before an interval is what it mostly is there; its own markers are counted."""
    lean, guesses = 1.0, []
    for chances in whole:
        guesses.append((1 + abs(lean)) / 2)
        lean *= float(chances @ (-1.0) ** np.arange(len(chances)))
    return guesses


def _accuracy(config: FlipflopOptions, lamp: list[float]) -> float:
    seen, guessed = response_accuracy(config.d_prime), float(np.mean(lamp))
    return seen * guessed + (1 - seen) * (1 - guessed)
