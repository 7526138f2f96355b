"""Sensorium's layout: a .npy a trial and modality, numbered, with the tier of each trial in `meta/trials/tiers.npy`."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ablate.data.formats.reading.numbers import PLAIN
from ablate.data.formats.reading.story import Story
from ablate.data.formats.reading.tiers import split_of
from ablate.data.formats.sensorium.files import Files
from ablate.errors import AblateError

TIERS = "meta/trials/tiers.npy"
HIDDEN = "test"
"""Part of the name of a tier whose responses were not published by all."""
NO_TIER = "none"


@dataclass(frozen=True)
class Trials:
    """numbers: of the trials that are read, in order. split: a label of each, by its tier."""

    numbers: tuple[int, ...]
    split: np.ndarray | None


def trials_of(files: Files, stimulus: str, story: Story) -> Trials:
    """The trials that have a stimulus and published responses. Raises AblateError where none is left."""
    tiers = files.array(TIERS)
    if tiers.ndim != 1 or tiers.dtype.kind not in "US":
        raise AblateError(f"must be text, one tier a trial, not {tiers.dtype} of shape {tiers.shape}", where=TIERS)
    tiers = tiers.astype(str)  # of bytes too
    shown, answered = files.numbered(f"data/{stimulus}"), files.numbered("data/responses")
    beyond = [number for number in shown if number >= len(tiers)]
    if beyond:
        what = f"has {len(tiers)} tiers, and data/{stimulus} goes on to trial {beyond[-1]}"
        raise AblateError(what, where=TIERS, hint="is a part of the recording missing?")
    withheld = _withheld(files, {n: name for n, name in answered.items() if n < len(tiers)}, tiers)
    kept, left = [], Counter[str]()
    for number in shown:
        tier = str(tiers[number])
        if tier == NO_TIER:
            left["trials of tier none"] += 1
        elif number not in answered:
            left[f"trials of tier {tier} without responses"] += 1
        elif tier in withheld:
            left[f"trials of tier {tier}, whose responses are withheld"] += 1
        else:
            kept.append(number)
    alone = [number for number in answered if number not in shown]
    if alone:
        raise AblateError(f"trial {alone[0]} has no stimulus", where=f"data/responses/{alone[0]}.npy")
    if not kept:
        raise AblateError("no trial has both a stimulus and responses", where=f"data/{stimulus}")
    story.unused += [f"{count} {what}" for what, count in left.items()]
    names = tuple(str(tiers[number]) for number in kept)
    return Trials(tuple(kept), split_of(names, story, "trials"))


def _withheld(files: Files, answered: dict[int, str], tiers: np.ndarray) -> set[str]:
    """Tiers of tests in which every response is zero or NaN."""
    tests = {str(tier) for tier in tiers if HIDDEN in str(tier)}
    for number, name in answered.items():
        tier = str(tiers[number])
        if tier in tests and _answers(files.array(name)):
            tests.discard(tier)
    return tests


def _answers(responses: np.ndarray) -> bool:
    """Whether one is neither zero nor NaN; what holds no numbers is refused where it is read."""
    if responses.dtype.kind not in PLAIN:
        return True
    return bool(np.any(np.nan_to_num(responses.astype(np.float64))))


def held(values: np.ndarray) -> tuple[np.ndarray, int]:
    """(t, k) without NaN: the last value stands in, at the beginning the first one; and how many were filled.

    Raises AblateError for a column without a value.
    """
    filled, missing = np.array(values, np.float64), ~np.isfinite(values)
    for column in np.flatnonzero(missing.any(0)).tolist():
        known = np.flatnonzero(~missing[:, column])
        if not len(known):
            raise AblateError(f"row {column} holds no finite value")
        last = known[np.maximum(np.searchsorted(known, np.arange(len(filled)), side="right") - 1, 0)]
        filled[:, column] = filled[last, column]
    return filled, int(missing.sum())
