"""Is the test one stretch of data? A step of the score over time, and a test that is worse than validation.

A frame that is dropped halfway, or rates that drift away, cost every model alike: the ranking stands, but the scores
are those of a part of the test. Looked at in the baseline alone, and told only where chance is a poor reason:

    step    the greatest |mean before - mean after| over all places in the blocks of the test, against the same blocks
            in 2,000 random orders: p <= `STEP_P`, and a step of at least `STEP_SHARE` of the score
    splits  |validation - test| over its standard error (from the test's blocks, validation's by the number of its
            spikes) of at least `SPLITS_ERRORS`, and a difference of at least `SPLITS_SHARE` of the larger score
"""

from collections.abc import Iterator

import numpy as np

from ablate.analysis.cells import Cells
from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.words import number, percent
from ablate.result.record import Score

STEP_P = 0.01
STEP_SHARE = 0.25
STEP_EDGE = 2
"""Blocks at either end that are no part of their own."""
ORDERS = 2000
SPLITS_ERRORS = 4.0
SPLITS_SHARE = 0.1
WHAT_NEXT = "a frame may be missing or doubled, or the responses drift; `ablate data info` shows where"


def steps_in_time(analysis: StudyAnalysis) -> Iterator[Guard]:
    """The baseline's score steps up or down within the test."""
    row = analysis.baseline
    blocks = np.array(row.times)
    if len(blocks) < 4 * STEP_EDGE:
        return
    place, step = greatest_step(blocks)
    scale = max(abs(float(blocks[:place].mean())), abs(float(blocks[place:].mean())))
    if abs(step) < STEP_SHARE * scale or step_p(blocks) > STEP_P:
        return
    before, after = float(blocks[:place].mean()), float(blocks[place:].mean())
    yield Guard(
        "step in time",
        row.name,
        f"the score of {row.name} steps from {number(before)} to {number(after)} {analysis.unit} after "
        f"{percent(place / len(blocks), 0)} of the test's time: {WHAT_NEXT}.",
    )


def greatest_step(blocks: np.ndarray) -> tuple[int, float]:
    """(first block after it, mean after less mean before), by the two-sample t statistic with the blocks' own
    variance."""
    steps, sizes = _sizes(blocks[None])
    best = int(np.argmax(sizes[0]))
    return STEP_EDGE + best, float(steps[0, best])


def _sizes(orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each order (row), at each place (column): mean after less mean before, and how great that step is."""
    count = orders.shape[1]
    places = np.arange(STEP_EDGE, count - STEP_EDGE + 1)
    steps = np.stack([orders[:, place:].mean(axis=1) - orders[:, :place].mean(axis=1) for place in places], axis=1)
    return steps, np.abs(steps) * np.sqrt(places * (count - places))


def step_p(blocks: np.ndarray) -> float:
    """Share of random orders of the blocks, this one among them, with a step as great."""

    random = np.random.default_rng(0)
    orders = np.stack([blocks, *(random.permutation(blocks) for _ in range(ORDERS))])
    here, *others = _sizes(orders)[1].max(axis=1)
    return (1 + int((np.array(others) >= here).sum())) / (1 + ORDERS)


def unlike_splits(analysis: StudyAnalysis, cells: Cells) -> Iterator[Guard]:
    """The baseline scores differently on validation and on test."""
    row, records = analysis.baseline, cells.baseline.records
    pairs = [(records[seed].validation, records[seed].test) for seed in cells.baseline.scored]
    known = [(one, two) for one, two in pairs if one is not None and two is not None and one.metric == two.metric]
    blocks = np.array(row.times)
    if not known or len(blocks) < 4 * STEP_EDGE:
        return
    validation, test = (float(np.mean([pair[side].headline for pair in known])) for side in (0, 1))
    error = float(blocks.std(ddof=1)) / np.sqrt(len(blocks))
    error *= np.sqrt(1 + _weight(known[0][1]) / max(_weight(known[0][0]), 1.0))
    apart = abs(validation - test)
    if apart < SPLITS_ERRORS * error or apart < SPLITS_SHARE * max(abs(validation), abs(test)):
        return
    yield Guard(
        "splits differ",
        row.name,
        f"{row.name} scores {number(validation)} on validation and {number(test)} {analysis.unit} on test, "
        f"{apart / error:.0f} standard errors apart: they are not the same kind of data; {WHAT_NEXT}.",
    )


def _weight(score: Score) -> float:
    return sum(session.weight for session in score.sessions)
