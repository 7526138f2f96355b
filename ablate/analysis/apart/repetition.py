"""A study's verdicts and the same rows on other seeds in, whether each verdict repeats out.

    repeats         the other seeds alone give the same word
    contradicted    they give another word, and the two gains differ by more than both sets' errors allow (p <= 0.05
                    after Holm over the rows that were tried) or lie surely on two sides of zero
    weaker          they give another word, and the two gains are within what both sets' errors allow
    clearer         they give a word where the study had none

Two words alone say little: a gain of -2 % that may be -1 or -3 is `hurts` on some seeds and `negligible` on others.
A control changes nothing: whatever seeds say that it helps or hurts contradict that.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ablate.analysis.outcome import Gain, GainChange, Repeat, VariantAnalysis, Verdict
from ablate.analysis.statistics.change import gain_change
from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.noise import ALPHA

SIGNS = {"helps": 1, "hurts": -1}


class Again(NamedTuple):
    """A row of the study, and what other seeds say of it."""

    row: VariantAnalysis
    gain: Gain | None
    verdict: Verdict


class Repetition(NamedTuple):
    """repeat: the word. change: the gain on the other seeds minus the study's, its p adjusted over the rows."""

    repeat: Repeat
    change: GainChange | None


def repetitions(tried: Mapping[str, Again]) -> dict[str, Repetition]:
    """Of all rows that were tried, which are one family."""
    changes = {name: gain_change(again.row.gain, again.gain) for name, again in tried.items()}
    known = {name: change for name, change in changes.items() if change is not None and change.p is not None}
    adjusted = holm(np.array([1.0 if change.p is None else change.p for change in known.values()])).tolist()
    p = dict(zip(known, adjusted, strict=True))
    return {
        name: Repetition(
            _word(again, differs=p.get(name, 1.0) <= ALPHA),
            replace(known[name], p=p[name]) if name in known else changes[name],
        )
        for name, again in tried.items()
    }


def _word(again: Again, *, differs: bool) -> Repeat:
    before, after, control = again.row.verdict, again.verdict, again.row.role == "control"
    if after == before or (control and {before, after} <= {"negligible", "no evidence"}):
        return "repeats"
    if control and after in SIGNS:
        return "contradicted"
    if before == "no evidence" and after in ("helps", "hurts", "negligible"):
        return "clearer"
    if after in ("no evidence", "invalid") and _sign(again.gain) == SIGNS.get(before):
        return "weaker"  # a failed seed bars the word, not the sign
    opposite = SIGNS.get(before, 0) * SIGNS.get(after, 0) < 0
    return "contradicted" if differs or opposite else "weaker"


def _sign(gain: Gain | None) -> int:
    """Of a gain that is clear of zero over the rows tried; 0 of any other."""
    clear = gain is not None and gain.p_holm is not None and gain.p_holm <= ALPHA
    return int(np.sign(gain.mean)) if gain is not None and clear else 0
