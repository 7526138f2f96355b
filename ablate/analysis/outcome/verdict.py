"""The word for a row, and what fresh seeds say of it."""

from dataclasses import dataclass
from typing import Literal

from ablate.analysis.outcome.interval import Gain, GainChange

Verdict = Literal["baseline", "reference", "helps", "hurts", "negligible", "no evidence", "invalid"]
Repeat = Literal["repeats", "weaker", "contradicted", "clearer"]
"""`repeats`: the fresh seeds alone give the same word. `weaker`: they do not, but the two gains are within what both
sets' errors allow. `contradicted`: the gains differ by more, or lie surely on two sides of zero. `clearer`: they give a
word where the study could not tell."""


@dataclass(frozen=True)
class Confirmed:
    """A row on seeds that nothing had looked at. gain, verdict, note and repeat are of these seeds alone, and are None
    and empty until all of its runs have ended, so that nobody looks early.

    seeds: the planned ones. goes: how often the row was tried; p and interval count them all (Bonferroni). change: the
    gain on these seeds minus the one that was chosen, with its 95 % interval (Welch) and its p over the rows tried.
    """

    seeds: tuple[int, ...]
    runs_planned: int
    runs_ended: int
    goes: int = 1
    gain: Gain | None = None
    verdict: Verdict | None = None
    note: str = ""
    repeat: Repeat | None = None
    change: GainChange | None = None
