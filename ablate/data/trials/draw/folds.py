"""Cross-validation: every subject (or trial) is tested once, by a model that has not seen it.

    loso             one subject a fold (leave one subject out)
    kfold, subject   the subjects dealt into k folds
    kfold, trial     each subject's trials dealt into k folds, every class in proportion

What is not tested in a fold is cut once more: a share of it (`validation`) stops and selects, the rest is trained on.
A fold is drawn by the data's split seed alone, so it is the same for every variant.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from ablate.config import Config
from ablate.contract import Folds
from ablate.data.trials.draw.order import spread
from ablate.errors import AblateError


class FoldsConfig(Config):
    """Leave one subject out, or k folds over subjects or trials."""

    type: Literal["loso", "kfold"]
    by: Literal["subject", "trial"] = "subject"
    """What is kept apart; a trial is never cut."""
    folds: int = Field(default=5, ge=2, le=1000)
    """How many, for kfold; loso has as many as there are subjects."""
    fold: int | None = Field(default=None, ge=0)
    """This fold alone, counted from 0; null trains all of them, each in a run of its own."""

    @model_validator(mode="after")
    def _consistent(self) -> "FoldsConfig":
        if self.type == "loso" and self.by != "subject":
            raise ValueError("loso leaves out subjects: write `by: subject`, or `type: kfold`")
        if self.type == "kfold" and self.fold is not None and self.fold >= self.folds:
            raise ValueError(f"fold {self.fold} is not one of {self.folds} folds, which are counted from 0")
        return self

    @property
    def here(self) -> int:
        """The fold that opened data hold: the first where all are meant."""
        return self.fold or 0


def folds_of(config: FoldsConfig, subjects: Sequence[str]) -> Folds:
    """Each fold by the subject that it tests, or by its number from 1. Raises AblateError for too few subjects."""
    rule = config.model_dump_json()
    if config.type == "loso":
        if len(subjects) < 3:
            raise too_few(len(subjects), "subjects", "loso needs three: one each to test, to validate and to train on")
        return Folds(tuple(subjects), "subject", 0.0, rule)
    names = tuple(f"{fold + 1} of {config.folds}" for fold in range(config.folds))
    return Folds(names, "fold", 0.0 if config.by == "subject" else 1 / (config.folds - 1), rule)


def deal_folds(
    config: FoldsConfig,
    names: Sequence[str],
    group: Callable[[str], str],
    validation: float,
    seed: Sequence[int],
    what: str,
) -> dict[str, str]:
    """A split for each name (subject, trial or stimulus) in the fold that is meant, every group in proportion.

    names: sorted. group: what a name is a case of. seed: of the draw, the same in all folds. Raises AblateError where
    there are fewer names than folds, or nothing would be left to train on.
    """
    drawn = spread(names, group, np.random.default_rng(list(seed)))
    drawn = sorted(drawn, key=group) if config.by == "trial" else drawn  # then round robin deals each class evenly
    folds = len(names) if config.type == "loso" else config.folds
    if len(names) < folds:
        raise too_few(len(names), what, f"{folds} folds need one each: lower `folds`")
    fold_of = {name: index % folds for index, name in enumerate(sorted(names) if config.type == "loso" else drawn)}
    if config.here >= folds:
        raise AblateError(f"fold {config.here} is not one of {folds} folds", where="data.split.fold")
    tested = [name for name in names if fold_of[name] == config.here]
    left = [name for name in names if fold_of[name] != config.here]
    order = spread(left, group, np.random.default_rng([*seed, config.here]))
    held = max(1, round(validation * len(left)))
    if len(left) <= held:
        raise too_few(len(names), what, "a fold needs some to test, some to validate and some to train on")
    return {
        **dict.fromkeys(tested, "test"),
        **dict.fromkeys(order[:held], "validation"),
        **dict.fromkeys(order[held:], "train"),
    }


def too_few(count: int, what: str, hint: str) -> AblateError:
    return AblateError(f"{count} {what} are too few for these folds", where="data.split", hint=hint)
