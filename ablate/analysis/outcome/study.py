"""A whole study, ready to be shown: its rows, the sentences about them, and where it all came from."""

from dataclasses import dataclass
from typing import Literal

from ablate.analysis.outcome.combination import Attribution, EfficiencyCurve
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.outcome.repeats import Repeats
from ablate.analysis.outcome.row import Measured, NumberPoints, VariantAnalysis
from ablate.analysis.outcome.settling import Settling
from ablate.result.manifest import AnalysisRule, CrossValidation

NoteKind = Literal["rehearsal", "warning", "excluded", "truth", "family", "expectation", "info"]


@dataclass(frozen=True)
class Failure:
    """A planned run that did not give a score."""

    variant: str
    seed: int
    state: str
    reason: str


@dataclass(frozen=True)
class Note:
    """A line beneath the table."""

    kind: NoteKind
    text: str


@dataclass(frozen=True)
class StudyAnalysis:
    """A whole study, ready to be shown.

    rows: patches by rank (invalid ones last), controls, references, the baseline. winner: name of the row that may be
    called best; None when nothing may be. headline: question and answer; answer: the answer alone. target: the
    reference that the gap is measured to (the best one). family: the variants over which p values are adjusted.
    """

    name: str
    question: str
    expectation: str
    metric: str
    unit: str
    """How the metric is printed: `bits/spike`, `bits/label`."""
    rehearsal: bool
    data_description: str
    seeds: tuple[int, ...]
    rows: tuple[VariantAnalysis, ...]
    baseline_name: str
    target: str | None
    winner: str | None
    headline: str
    answer: str
    next_steps: tuple[str, ...]
    notes: tuple[Note, ...]
    guards: tuple[Guard, ...]
    """Reasons to doubt a number, the gravest first; each is among the notes as a sentence."""
    failures: tuple[Failure, ...]
    family: tuple[str, ...]
    rule: AnalysisRule
    """How the gains became verdicts."""
    attainable: float | None
    attainable_accuracy: float | None
    floor: float | None
    """What needs no receptive field scores this, where truth is known."""
    baseline_at_chance: bool
    detectable: float | None
    """Smallest detectable gain with the planned seeds, 80 % power, in the metric's unit."""
    detectable_relative: float | None
    detectable_basis: str
    """What it was worked out from, in words."""
    runs_planned: int
    runs_done: int
    runs_failed: int
    attribution: Attribution
    efficiency: tuple[EfficiencyCurve, ...]
    expectations_hash: str
    expectation_changes: tuple[str, ...]
    recipe_path: str
    recipe_text: str
    data_fingerprint: str
    scored_hash: str
    environment: tuple[tuple[str, str], ...]
    measured: tuple[Measured, ...] = ()
    """What runs measured beside their score, by measure."""
    repeats: Repeats | None = None
    """What repeats of one stimulus say, where the data have any."""
    said: tuple[NumberPoints, ...] = ()
    """What the variants say of numbers that are learned, point by point."""
    settling: Settling | None = None
    """Of a study that is run until settled: everything above is of its last complete look."""
    cross_validation: CrossValidation | None = None
    """Its folds, which gains are paired by and intervals are over."""
    overrides: tuple[str, ...] = ()
    """What the command line changed of the recipe: `training.steps=500`, `data=...`."""

    def row(self, name: str) -> VariantAnalysis:
        """The row of that name (aliases count); KeyError if there is none."""
        for row in self.rows:
            if row.name == name or name in row.aliases:
                return row
        raise KeyError(name)

    @property
    def replicate(self) -> str:
        """What gains are paired by and intervals are over: `seed`, `subject` or `fold`."""
        return "seed" if self.cross_validation is None else self.cross_validation.over

    @property
    def pairs(self) -> int:
        """Seeds, or folds of a cross-validation, that were planned."""
        return len(self.seeds) if self.cross_validation is None else len(self.cross_validation.names)

    @property
    def baseline(self) -> VariantAnalysis:
        return self.row(self.baseline_name)

    @property
    def references(self) -> tuple[VariantAnalysis, ...]:
        return tuple(row for row in self.rows if row.role == "reference")
