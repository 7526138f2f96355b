"""Repeats of one stimulus: which bins answer to the same content, and their counts as showings of it.

Two bins answer to the same where the whole history that a model is given is the same. Where nothing as long comes again
(flashed pictures in random order), they answer to the same where the picture and the time since its onset are the same;
what was shown before differs then, and counts as noise.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.recurring.content import NOTHING, Content, content_of
from ablate.data.encoding.recurring.frame_facts import frame_facts, holds_of
from ablate.data.encoding.recurring.repeats import stretches
from ablate.data.recording import Recording

Array = np.ndarray

LEAST_BINS = 20  # of one stimulus: fewer say nothing of how responses vary over it
MOST_ENTRIES = 200_000  # bins of all showings together that are looked at, so that a score takes no longer than a test


def same_answers(
    canonical: Int[np.ndarray, " t"], content: Content, run_start: Int[np.ndarray, " t"], *, history: int
) -> Int[np.ndarray, " t"]:
    """Equal for bins that answer to the same content; `NOTHING` where that comes once. canonical: first showing of each
    frame."""
    here = np.arange(len(canonical))
    joined = np.concatenate([[False], (np.diff(canonical) == 1) & (run_start[1:] == run_start[:-1])])
    begun = np.maximum.accumulate(np.where(joined, 0, here))
    long = here - begun >= history - 1
    recurs = _twice(np.where(long, canonical, NOTHING))
    if recurs.any():
        return np.where(recurs, canonical, NOTHING)
    if content.length != 1:
        return np.where(_twice(content.symbol), content.symbol, NOTHING)
    onset = holds_of(content.symbol, run_start)
    since = here - onset[np.searchsorted(onset, here, side="right") - 1]
    longest = int(since.max(initial=0)) + 1
    pictures = np.where(content.symbol == NOTHING, NOTHING, content.symbol * longest + since)
    return np.where(_twice(pictures), pictures, NOTHING)


def shown_again(answer: Int[np.ndarray, " n"], bins: Int[np.ndarray, " n"]) -> Int[np.ndarray, "r t"] | None:
    """The bins as showings (rows) of one stimulus (columns, in the order of the first showing); None where fewer than
    `LEAST_BINS` come again. What is shown more often than most of it loses its last showings."""
    known = answer != NOTHING
    kinds, inverse, counts = np.unique(answer[known], return_inverse=True, return_counts=True)
    if not len(kinds):
        return None
    often = np.sort(counts)[::-1]
    showings = np.arange(2, often[0] + 1)
    enough = np.searchsorted(-often, -showings, side="right")  # contents with at least so many showings
    worth = np.where(enough >= LEAST_BINS, (showings - 1) * enough, 0)
    if not len(showings) or not worth.any():
        return None
    rows = int(showings[np.argmax(worth)])
    order = np.argsort(inverse, kind="stable")
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    chosen = first[counts >= rows]
    table = bins[known][order][chosen[:, None] + np.arange(rows)]  # t r
    table = table[np.argsort(table[:, 0])][: max(LEAST_BINS, MOST_ENTRIES // rows)]
    return np.asarray(table.T)


def shows_the_repeats(recordings: Sequence[Recording], config: SplitConfig, history: int) -> tuple[Array, ...]:
    """(t,) a session: frames whose content is also in a `repeat_stimulus.npy`: those may neither train nor select."""
    stimuli = [one.stimulus for one in recordings]
    extra = [one.repeat_stimulus for one in recordings if one.repeat_stimulus is not None]
    if not extra:
        return tuple(np.zeros(len(stimulus), bool) for stimulus in stimuli)
    facts = [frame_facts(stimulus) for stimulus in (*stimuli, *extra)]
    lengths = [len(one.number) for one in facts]
    run_start = np.repeat(np.cumsum([0, *lengths[:-1]]), lengths)
    stretch, _ = stretches(np.concatenate([one.number for one in facts]), run_start, config.repeat_frames)
    symbol = content_of(facts, run_start, longest=config.repeat_frames, memory=history).symbol
    ends = np.cumsum([len(stimulus) for stimulus in stimuli])
    seen = np.zeros(int(ends[-1]), bool)
    for known in (stretch, symbol):
        shown = known[ends[-1] :]
        seen |= np.isin(known[: ends[-1]], shown[shown != NOTHING])
    return tuple(np.split(seen, ends[:-1]))


def _twice(values: Int[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
    """Where a value that is not `NOTHING` comes more than once."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((counts[inverse] > 1) & (values != NOTHING))
