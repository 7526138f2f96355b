"""What every data set of EEG and video trials can be set to: how it is split, and the controls of a fusion study."""

from typing import Literal, TypeVar

import torch
from pydantic import Field, model_validator

from ablate.config import Config
from ablate.contract import Dataset, Folds, FusionSpec
from ablate.data.trials.augment import AugmentConfig
from ablate.metric import metric_for

Trials = TypeVar("Trials", bound="TrialDataConfig")


class TrialDataConfig(Config):
    """Fields and promises that all trial data share."""

    split: Literal["trial", "subject"] = "trial"
    """What is kept apart between train, validation and test: whole trials, or whole subjects. Never segments of a
    trial."""
    fraction: float = Field(default=1.0, gt=0, le=1)
    """Share of the training trials that is used; smaller shares are subsets of larger ones."""
    shuffle_pairs: bool = False
    """Control: every trial gets the video of another trial of its split, so that only what one modality knows
    remains."""
    poison_pads: bool = False
    """Control: NaN in every padded frame. A model that reads no pads scores exactly what it scores without."""
    augment: AugmentConfig = AugmentConfig()
    """What is changed at random in training batches."""

    metric: str = "bits_per_label"
    """What predictions are scored by: of classes bits_per_label, accuracies beside it; of numbers bits_per_value,
    correlation and concordance beside it."""

    @model_validator(mode="after")
    def _scores_what_is_learned(self) -> "TrialDataConfig":
        if self.task == "values" and "metric" not in self.model_fields_set:
            self.__dict__["metric"] = "bits_per_value"  # the default of these data; frozen for everybody else
        metric_for(self.metric, self.task)
        return self

    @property
    def task(self) -> Literal["labels", "values"]:
        """Whether classes or numbers are learned."""
        return "labels"

    @property
    def kept_apart(self) -> Literal["trial", "subject"]:
        """What is never in two splits."""
        return self.split

    @property
    def balances_classes(self) -> bool:
        """Whether training batches hold every class equally often."""
        return False

    @property
    def scales_by_subject(self) -> bool:
        """Whether the EEG is z-scored by each subject's own mean and deviation."""
        return False

    def folds(self) -> Folds | None:
        """The folds that are each a run of their own; None without cross-validation, or in a single fold."""
        return None

    def in_fold(self: Trials, fold: int | None) -> Trials:
        """The same data in one of its folds; None: in none."""
        raise NotImplementedError

    @property
    def bins_per_row(self) -> int:
        """Labels of a trial."""
        return 1

    def describe(self) -> FusionSpec:
        """The spec without the data; the class prior is a placeholder until the data are opened."""
        raise NotImplementedError

    def summary(self) -> str:
        """One line for the head of a study."""
        raise NotImplementedError

    def open(self, device: torch.device) -> Dataset:
        """Reads (or makes) the trials and puts them on the device."""
        raise NotImplementedError

    def sources(self) -> tuple[str, ...]:
        """The files and folders that are read; none where the trials are made."""
        return ()

    def rehearsal(self) -> "TrialDataConfig":
        """Few trials of the same kind, for `--quick` and for the checks before a study."""
        raise NotImplementedError
