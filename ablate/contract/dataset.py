"""What the rooms above ask of opened data. A data set of one's own may inherit from `Dataset` and take its defaults."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from ablate.contract.batch import Batch, BatchStream
from ablate.contract.spec import DataSpec

Split = Literal["validation", "test"]

Attainable = Sequence[NDArray[np.float64]]
"""Log-likelihood gain over the null of the true rates, in nats: one array a session, an entry for each unit (trial)."""


@dataclass(frozen=True)
class Showings:
    """Responses of one session to a stimulus that it saw more than once; never trained on.

    counts: spikes of each showing. valid: bins that count for a unit, the same in every showing. bins: frame of each
    bin among those that `sweep_showings` scores, a row a showing, or one row where all showings have the same frames;
    None where the stimulus is not known. source: where the showings were found.
    """

    session: int
    name: str
    source: Literal["repeats.npy", "test"]
    bin_rate_hz: float
    counts: Float[np.ndarray, "r t u"]
    valid: Bool[np.ndarray, "t u"]
    bins: Int[np.ndarray, "rows t"] | None


@runtime_checkable
class Dataset(Protocol):
    """Opened data, on its device. Every variant of a seed gets the same batches in the same order."""

    @property
    def spec(self) -> DataSpec:
        """What a model must know before it is built."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of the content and of the data configuration."""
        ...

    @property
    def metric(self) -> str:
        """Name of what the data are scored by, one of `ablate.metric.METRICS`."""
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """What is no fault, but should be known before anybody believes a score."""
        return ()

    @property
    def min_spikes(self) -> int:
        """Units with fewer spikes in a split are left out of its score."""
        return 1

    def train(self, *, seed: int, batch_size: int) -> BatchStream:
        """The endless order of training batches of a seed."""
        ...

    def sweep(self, split: Split, *, batch_size: int) -> Iterator[Batch]:
        """Batches that hold every scored entry of a split exactly once."""
        ...

    def scored_hash(self, split: Split) -> str:
        """Hash of the set of (session, bin, unit) entries that a split scores."""
        ...

    def scored_units(self, split: Split) -> int:
        """Units (or trials) that a split can score; with none of them a study is refused before it begins."""
        return 1

    def entry_names(self, split: Split) -> Sequence[Sequence[str]] | None:
        """Name of each trial of each session of a split, by `Target.entry`; None where entries have no names."""
        return None

    def attainable(self, split: Split) -> Attainable | None:
        """Over exactly the scored bins; None where truth is unknown."""
        return None

    def floor(self, split: Split) -> Attainable | None:
        """The same of the rates that need no receptive field; None where that is not known."""
        return None

    def showings(self) -> tuple[Showings, ...]:
        """Sessions that saw a stimulus more than once outside the training split."""
        return ()

    def sweep_showings(self, showings: Showings, *, batch_size: int) -> Iterator[Batch]:
        """Batches that hold each bin of the showings at least once; rows tell their `newest` frame."""
        return iter(())

    def attainable_accuracy(self, split: Split) -> float | None:
        """Share of labels that the true probabilities get right; None where truth is unknown, or nothing is
        labelled."""
        return None

    def to(self, device: torch.device) -> "Dataset":
        """The same data on another device."""
        ...


@dataclass(frozen=True)
class Folds:
    """A cross-validation: every subject or trial is tested once.

    names: of the folds, in order: the subject that one tests, or `2 of 5`. over: what one fold stands for. overlap:
    tested over trained share of a fold where folds share subjects, 0 where they do not. rule: how they are drawn;
    folds of one rule and the same names are the same.
    """

    names: tuple[str, ...]
    over: Literal["subject", "fold"]
    overlap: float
    rule: str


@runtime_checkable
class DataOptions(Protocol):
    """What is asked of the configuration of any data."""

    def describe(self) -> DataSpec:
        """The spec without the data: what a model must know to be built and counted."""
        ...

    def sources(self) -> tuple[str, ...]:
        """The files and folders that are read; none where the data are made."""
        return ()

    def folds(self) -> Folds | None:
        """The folds of a cross-validation that are each a run of their own; None without one."""
        return None

    def in_fold(self, fold: int | None) -> Self:
        """The same data in one of its folds; None: in none, as a study of all folds is planned. Asked only where there
        are folds."""
        raise NotImplementedError

    def summary(self) -> str:
        """One line for the head of a study."""
        ...

    def rehearsal(self) -> Self:
        """Few and short data of the same kind, for `--quick` and for the checks before a study."""
        return self

    def open(self, device: torch.device) -> Dataset:
        """Reads (or first makes) the data and puts them on the device."""
        ...
