"""`study.json`: the manifest of a study, written before its first run. A report is made of this and the run records
alone.
"""

from typing import Literal

from pydantic import Field, model_validator

from ablate.config import Config
from ablate.disk.read import Json
from ablate.result.record import ModelCost

Role = Literal["baseline", "variant", "reference", "control"]
Variance = Literal["moderated", "own"]

RETIRED = "warnings"
"""A key of a variant, always empty, that committed manifests hold."""


class VariantEntry(Config):
    """One row of the table to come."""

    name: str
    role: Role
    title: str = ""
    patches: tuple[str, ...] = ()
    """Names of the applied patches, in order."""
    aliases: tuple[str, ...] = ()
    """Other names under which the same resolved configuration was asked for."""
    strategies: tuple[str, ...] = ()
    """Where it came from: each, ladder, leave_one_out, factorial, list."""
    changes: str = ""
    """What it changes, in a few words: `tokens 8->4 px, modulator 256/32`."""
    also_changed: tuple[str, ...] = ()
    """What else moved: parameters a part, FLOPs, token grid, pixels never seen."""
    differences: dict[str, tuple[object, object]] = {}
    """Key path -> (baseline's value, this variant's value)."""
    expect: tuple[float, float] | None = None
    """Expected gain over the baseline, relative: (0.03, 0.05)."""
    expect_cost: dict[str, float] | None = None
    config_hash: str = ""
    keys: dict[int, str] = {}
    """Seed -> run key; with cross-validation that of the first fold."""
    folds: dict[int, tuple[str, ...]] = {}
    """Seed -> run keys of all folds, in their order; empty without cross-validation."""
    cost: ModelCost | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, fields: object) -> object:
        return (
            {key: value for key, value in fields.items() if key != "warnings"} if isinstance(fields, dict) else fields
        )

    @property
    def run_keys(self) -> tuple[str, ...]:
        """All its runs, each once."""
        return tuple(dict.fromkeys((*self.keys.values(), *(key for folds in self.folds.values() for key in folds))))


class CrossValidation(Config):
    """Every subject or trial is tested once: the folds that a study trains, each in runs of their own."""

    names: tuple[str, ...]
    """Of the folds, in order: the subject that one tests, or `2 of 5`."""
    over: Literal["subject", "fold"]
    """What one fold stands for, and what intervals are over."""
    overlap: float = 0.0
    """Tested over trained share of a fold where folds train and test on the same subjects: what an interval's variance
    is corrected by (Nadeau & Bengio 2003); 0 where every fold tests subjects that no other fold tests."""


class AnalysisRule(Config):
    """How gains become verdicts: `analysis` in a recipe, fixed before the first run."""

    variance: Variance = "moderated"
    """What a row's noise is taken from: all rows together (`moderated`, Smyth 2004) or its own seeds (`own`)."""
    worth: float = Field(default=0.03, gt=0, lt=1)
    """The smallest relative gain worth having: 0.03 is 3 % of the baseline's score. Less is `negligible`."""


class LookedAt(Config):
    """Seeds whose scores had been seen when the study was planned. What was chosen on them is better there than
    anywhere else.
    """

    seeds: tuple[int, ...]
    why: str
    """What was chosen on them: `the regime was chosen by the baseline's validation score`."""


class Schedule(Config):
    """When a study that is run until settled is looked at: fixed before its first look, and never changed."""

    looks: tuple[int, ...] = (3, 4, 5, 6, 8, 10, 12)
    """Seeds of each row at each look."""
    seeds: tuple[int, ...]
    """The seeds in the order in which they are bought, as many as at the last look."""


class Confirmation(Config):
    """Rows that the study chose, to be tried on seeds that nothing had looked at. Stored before the first of its runs;
    no verdict of the study itself is made of them.
    """

    seeds: tuple[int, ...]
    rows: tuple[str, ...]
    keys: dict[str, dict[int, str]]
    """Variant, the baseline among them -> seed -> run key."""


class Retuning(Config):
    """The same small search for the baseline and the rows ahead. Stored before the first of its runs; those of the best
    settings, which follow from the search's records alone, are added before the first of these.
    """

    seeds: tuple[int, ...]
    """Of the search, by validation score: the first of the study's."""
    rows: tuple[str, ...]
    """The baseline first."""
    settings: tuple[Json, ...]
    """Key -> value, the baseline's own values first."""
    keys: dict[str, tuple[dict[int, str], ...]]
    """Row -> one a setting: seed -> run key. A setting that the row has as written is its run of the study."""

    @property
    def run_keys(self) -> frozenset[str]:
        return frozenset(key for row in self.keys.values() for held in row for key in held.values())


class StudyManifest(Config):
    """The manifest of a study: question, variants, seeds, expectations."""

    format: int = 1
    name: str
    question: str
    expectation: str = ""
    recipe_path: str = ""
    recipe_text: str = ""
    request: str = ""
    """Hash of the recipe's text and of all options that change its meaning: the same request on a finished study
    trains nothing.
    """
    overrides: tuple[str, ...] = ()
    """What the command line changed: `training.steps=500`."""
    data_is_made: bool = False
    """The data follow from the recipe alone (synthetic), so that the same request means the same data."""
    data_files: tuple[str, ...] = ()
    """Where recorded data lie, as the recipe or the command line says it."""
    data_stamp: str = ""
    """Names, sizes and times of these files: while it holds, the same request means the same data."""
    data_description: str = ""
    """One line: `synthetic_v1, 30 sessions, 600 units`."""
    data_fingerprint: str = ""
    metric: str = "bits_per_spike"
    lower_is_better: bool = False
    """A gain is then how far a score lies below the baseline's."""
    rehearsal: bool = False
    seeds: tuple[int, ...]
    variants: tuple[VariantEntry, ...]
    ladders: tuple[tuple[str, ...], ...] = ()
    """Variant names of each ladder, in order, the baseline left out."""
    analysis: AnalysisRule = AnalysisRule()
    """The rule of the verdicts."""
    looked_at: LookedAt | None = None
    """Seeds that are no fresh ones; None where the recipe names none."""
    cross_validation: CrossValidation | None = None
    """None where train and test are split once."""
    schedule: Schedule | None = None
    """The looks of a study that is run until settled; None where its seeds were fixed beforehand."""
    confirmations: tuple[Confirmation, ...] = ()
    """In the order in which they were asked for."""
    retune: dict[str, tuple[object, ...]] = {}
    """What the recipe wants searched: key -> values, the baseline's first."""
    retuning: Retuning | None = None
    expectations_hash: str = ""
    """Hash of all `expect` and of `analysis` at the first run."""
    expectation_changes: tuple[str, ...] = ()
    """What was changed in `expect` and `analysis` after the first run, one sentence each."""
    environment: Json = {}

    @property
    def run_keys(self) -> frozenset[str]:
        """All runs that belong to the study, those of its confirmations and of its search among them."""
        others = self.confirmation_keys | (self.retuning.run_keys if self.retuning else frozenset())
        return others.union(key for entry in self.variants for key in entry.run_keys)

    @property
    def confirmation_keys(self) -> frozenset[str]:
        """The runs of its confirmations."""
        return frozenset(key for one in self.confirmations for keys in one.keys.values() for key in keys.values())

    @property
    def fresh_seeds(self) -> frozenset[int]:
        """Seeds of confirmations: they choose nothing."""
        return frozenset(seed for one in self.confirmations for seed in one.seeds)

    def confirming(self, name: str) -> dict[int, str]:
        """Seed -> run key of a variant in all confirmations that it is part of."""
        return {seed: key for one in self.confirmations for seed, key in one.keys.get(name, {}).items()}
