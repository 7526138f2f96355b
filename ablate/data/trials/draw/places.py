"""Which split each trial belongs to: a seeded draw over trials within each subject, over subjects, or over folds."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ablate.data.trials.draw.folds import FoldsConfig, deal_folds
from ablate.data.trials.draw.kinds import kinds
from ablate.data.trials.draw.order import deal, in_turn, spread, starts
from ablate.data.trials.layout.table import TrialRow, TrialTable


@dataclass(frozen=True)
class Draw:
    """What the recipe says. test, validation: shares of the trials (or subjects). most: trials of a split; None takes
    all."""

    split: Literal["trial", "subject"] | FoldsConfig
    test: float
    validation: float
    seed: int
    most: int | None = None


def drawn_rows(table: TrialTable, draw: Draw) -> dict[str, list[TrialRow]]:
    """Which trials each split holds, so ordered that any first part holds every subject and class in proportion.

    Raises AblateError where there are too few of them.
    """
    rng, kind = np.random.default_rng(draw.seed), kinds(table)
    label = {row.stimulus or row.trial_id: kind[row.trial_id] for row in table.rows}
    place: dict[str, str] = {}
    if isinstance(draw.split, FoldsConfig):
        place = _in_fold(table, draw.split, draw, label)
    elif draw.split == "subject":
        names = [table.subjects[index] for index in rng.permutation(len(table.subjects))]
        drawn = deal(names, draw.test, draw.validation, "subjects")
        place = {row.trial_id: drawn[row.subject] for row in table.rows}
    elif any(row.stimulus for row in table.rows):  # what another subject was shown too is never in two splits
        drawn = deal(spread(sorted(label), label.__getitem__, rng), draw.test, draw.validation, "stimuli")
        place = {row.trial_id: drawn[row.stimulus or row.trial_id] for row in table.rows}
    else:
        start = starts(sorted({(row.subject, kind[row.trial_id]) for row in table.rows}), rng)
        for subject in table.subjects:
            own = [row.trial_id for row in table.rows if row.subject == subject]
            order = spread(own, label.__getitem__, rng, start[subject])
            place |= deal(order, draw.test, draw.validation, f"trials of {subject}")
    splits: dict[str, list[TrialRow]] = {}
    for name in ("train", "validation", "test"):
        rows = [row for row in table.rows if place[row.trial_id] == name]
        shuffled = [rows[index] for index in rng.permutation(len(rows))]
        mixed = in_turn(in_turn(shuffled, lambda row: (row.subject, kind[row.trial_id])), lambda row: row.subject)
        splits[name] = mixed if draw.most is None else mixed[: draw.most]
    return splits


def _in_fold(table: TrialTable, folds: FoldsConfig, draw: Draw, label: dict[str, str]) -> dict[str, str]:
    """The split of each trial in a fold of the cross-validation."""
    seed = (draw.seed,)
    if folds.by == "subject":
        dealt = deal_folds(folds, table.subjects, lambda name: "", draw.validation, seed, "subjects")
        return {row.trial_id: dealt[row.subject] for row in table.rows}
    if any(row.stimulus for row in table.rows):  # what another subject was shown too is never in two splits
        dealt = deal_folds(folds, sorted(label), label.__getitem__, draw.validation, seed, "stimuli")
        return {row.trial_id: dealt[row.stimulus or row.trial_id] for row in table.rows}
    place: dict[str, str] = {}
    for index, subject in enumerate(table.subjects):
        own = sorted(row.trial_id for row in table.rows if row.subject == subject)
        what = f"trials of {subject}"
        place |= deal_folds(folds, own, label.__getitem__, draw.validation, (*seed, index), what)
    return place
