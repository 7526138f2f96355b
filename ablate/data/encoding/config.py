"""What every encoding data set can be set to: windows, scored bins, splits, behaviour.

Which bins are supervised and scored is fixed here and nowhere else, so that no variant is taught or tested on other
bins than its rivals: bins lie on a lattice of `score_every` frames, and need `guard` frames of history, whatever the
window.
"""

from dataclasses import replace
from typing import ClassVar, Literal, TypeVar

import torch
from pydantic import Field, field_validator, model_validator

from ablate.config import Config, part_type
from ablate.contract import Dataset, EncodingSpec, Folds, SessionSpec
from ablate.metric import metric_for

REHEARSAL_WINDOW = 48  # frames: six of the notes' 8-frame tubelets, so that attention over time has work to do
REHEARSAL_WARMUP = 16  # frames: the taps of the temporal frontend
PLACEHOLDER_RATE = 0.1  # spikes a bin, 12 Hz at 120 Hz: stands in for the training split's mean until data are opened


class SplitConfig(Config):
    """How a recording is cut into train, validation and test."""

    kind: Literal["interleaved", "tail", "trials", "file"] = "interleaved"
    """interleaved: `blocks` rounds of train, validation, test over the recording, for rates that drift. tail: one
    round, test last. trials: whole trials of trials.npy, spread evenly over the recording. file: as split.npy says, a
    label a bin or a trial (0 train, 1 validation, 2 test, -1 none); guards are kept, and what recurs is left out of
    test as ever."""
    blocks: int = Field(default=4, ge=1)
    """Rounds of an interleaved split. Every second round runs backwards, so that two blocks of a split meet and save
    a guard."""
    validation: float = Field(default=0.1, gt=0, lt=1)
    """Share of the usable frames (or trials) that stops and selects."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of the usable frames (or trials) that is only scored."""
    repeats: Literal["separate", "ignore"] = "separate"
    """separate: stretches of the stimulus that recur stay within one split. ignore: recurring stretches may straddle
    splits."""
    repeat_frames: int = Field(default=32, ge=2)
    """Frames that must recur in a row to count as a repeat. Stretches that do not change at all never count."""

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "SplitConfig":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation {self.validation} and test {self.test} leave nothing to train on")
        return self


class UnitsConfig(Config):
    """Which units of a recording are used."""

    location_fields: ClassVar[tuple[str, ...]] = ("file",)

    only: tuple[int, ...] | None = None
    """Their numbers, from 0, the same in every recording. Default: all."""
    min_rate_hz: float = Field(default=0.0, ge=0)
    """Units that fire fewer spikes a second over the valid bins of the training split are not used."""
    file: str | None = None
    """A list of the units to use, .txt, .csv, .tsv or .npy: numbers from 0, or names of the recording's table of units;
    from the working directory, or else one in each recording's folder."""
    quality: tuple[str, ...] | None = None
    """Labels of the units to use, `[good]`, in the recording's units.csv, in the tables of Phy and Kilosort, or in
    NWB's table of units."""
    quality_column: str | None = None
    """Column of that table which holds the labels. Default: quality, group, KSLabel or label, whichever is there."""

    @field_validator("quality")
    @classmethod
    def _names_a_label(cls, quality: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if quality is not None and not quality:
            raise ValueError("name at least one label, as in [good]")
        return quality

    @field_validator("only")
    @classmethod
    def _are_units(cls, only: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if only is not None and (not only or min(only) < 0 or len(set(only)) < len(only)):
            raise ValueError("give at least one unit, each once, counted from 0")
        return only


Encoding = TypeVar("Encoding", bound="EncodingDataConfig")


class EncodingDataConfig(Config):
    """Fields and promises that all encoding data share."""

    window: int = Field(default=64, ge=1, le=100_000)
    """Frames a model is given at once."""
    score_every: int = Field(default=8, ge=1)
    """Frames between two supervised bins of a window, and between two scored bins of a recording."""
    warmup: int = Field(default=24, ge=0)
    """Frames at the old end of a window in which no bin is supervised or scored."""
    guard: int | None = Field(default=None, ge=1)
    """Frames between blocks of different splits, and of history that every scored bin has. Default: the window. Set
    it to the longest window of a study in which windows differ, so that all variants are scored on the same bins."""
    split: SplitConfig = SplitConfig()
    """How recordings are cut into train, validation and test."""
    fraction: float = Field(default=1.0, gt=0, le=1)
    """Share of the training frames that is used: the first part of each session's training blocks, so smaller shares
    are subsets of larger ones. The null and the statistics for normalising stay those of the whole training split."""
    min_spikes: int = Field(default=20, ge=0)
    """Units with fewer spikes than this in a split's scored bins are left out of its score."""
    metric: str = "bits_per_spike"
    """What predictions are scored by: bits_per_spike, correlation (blind to the scale of the rates), poisson_deviance
    (share of it that is explained), or fev (of the explainable variance; needs repeats). A recipe writes `metric:`
    beside `data:`."""
    behavior: Literal["causal", "same_bin", "acausal", "constant", "none"] = "causal"
    """causal: frame t comes with the sample measured before bin t. same_bin: with the sample of bin t itself, which is
    known only when the bin is over. acausal: with the sample measured after it, as a centred smoothing would leak.
    constant: every sample is the training mean, so that the modulator stays and only what
    behaviour tells is taken away. none: no behaviour is given, and no part may ask for it."""
    time_reversed: bool = False
    """Gives windows newest frame first, to see how a wrong alignment is punished."""
    sessions_per_batch: int = Field(default=4, ge=1)
    """Recordings that share one training batch, each with an equal part of its rows."""
    sweep_phases: Literal["one", "all"] = "one"
    """one: scores the bins of one lattice. all: scores every bin of validation and test, `score_every` times the
    work."""

    @field_validator("metric")
    @classmethod
    def _scores_spikes(cls, metric: str) -> str:
        return metric_for(metric, "spikes")

    @model_validator(mode="after")
    def _windows_hold_together(self) -> "EncodingDataConfig":
        if self.warmup >= self.window:
            raise ValueError(f"warmup {self.warmup} leaves no bin to score in a window of {self.window} frames")
        if self.guard is not None and self.window > self.guard:
            fault = f"window {self.window} is longer than guard {self.guard}"
            raise ValueError(f"{fault}; set `guard` to the longest window of the study")
        return self

    @property
    def chosen_units(self) -> UnitsConfig:
        """Which units train and are scored: all, where a data set has no option for it."""
        return UnitsConfig()

    @property
    def history(self) -> int:
        """Frames up to and with a scored bin that lie in its recording: the guard."""
        return self.window if self.guard is None else self.guard

    @property
    def bins_per_row(self) -> int:
        """Supervised bins of a window."""
        return len(range(0, self.window - self.warmup, self.score_every))

    def session_specs(self) -> tuple[SessionSpec, ...]:
        """Headers of the recordings; `mean_rate` is a placeholder, `behaviors` what the recordings hold."""
        raise NotImplementedError

    def describe(self) -> EncodingSpec:
        """The spec without the data: what a model must know to be built and counted. Mean rates are placeholders."""
        return self.spec_of(self.session_specs())

    def spec_of(self, sessions: tuple[SessionSpec, ...]) -> EncodingSpec:
        """The spec of given sessions; `behavior: none` hides what they have."""
        if self.behavior == "none":
            sessions = tuple(replace(session, behaviors=0) for session in sessions)
        return EncodingSpec(sessions, window=self.window, score_every=self.score_every, warmup=self.warmup)

    def summary(self) -> str:
        """One line for the head of a study."""
        sessions = self.session_specs()
        count = f"{len(sessions)} session{'s' * (len(sessions) != 1)}"
        return f"{self._label()}, {count}, {sum(session.units for session in sessions)} units"

    def open(self, device: torch.device) -> Dataset:
        """Reads (or first makes) the recordings and puts them on the device."""
        raise NotImplementedError

    def sources(self) -> tuple[str, ...]:
        """The files and folders that are read; none where the recordings are made."""
        return ()

    def folds(self) -> Folds | None:
        """Recordings are split in time, once."""
        return None

    def in_fold(self: Encoding, fold: int | None) -> Encoding:
        """Never asked: there are none."""
        raise NotImplementedError

    def rehearsal(self) -> "EncodingDataConfig":
        """Few and short recordings of the same kind, for `--quick` and for the checks before a study."""
        raise NotImplementedError

    def _label(self) -> str:
        return part_type(self) or "data"

    def _rehearsed_windows(self) -> dict[str, int | None]:
        """Short windows for a rehearsal. A guard that was set stays set, so that variants still share their bins.

        No longer stretch is scored than in the study itself: a frontend that needs the whole warm-up still gets it.
        """
        window = min(self.window, REHEARSAL_WINDOW)
        warmup = max(min(self.warmup, REHEARSAL_WARMUP), window - (self.window - self.warmup))
        guard = None if self.guard is None else max(min(self.guard, REHEARSAL_WINDOW), window)
        # A rehearsal's short test split holds few spikes; that every unit is scored matters more than how well.
        return {"window": window, "warmup": warmup, "guard": guard, "min_spikes": min(self.min_spikes, 1)}
