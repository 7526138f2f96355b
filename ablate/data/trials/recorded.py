"""Recorded trials of EEG and video: a native folder, or the folders of EAV, SEED-DV, and MNE.

Splits are drawn over trials or over subjects, never over segments; the same seed gives the same split for every
variant.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ablate.config import non_default
from ablate.contract import FusionSpec
from ablate.data.trials.config import TrialDataConfig
from ablate.data.trials.dataset import TrialDataset
from ablate.data.trials.layout.film import FilmStyle
from ablate.data.trials.layout.table import TrialRow, TrialTable, padded, padded_mask
from ablate.data.trials.split import TrialSplit
from ablate.errors import AblateError

REHEARSED = 8  # trials of each split that a rehearsal reads


class TrialsConfig(TrialDataConfig):
    """EEG and video trials from files."""

    type: Literal["trials"] = "trials"
    path: str
    """The folder."""
    layout: Literal["native", "eav", "seed_dv", "mne"] = "native"
    """How the folder is laid out."""
    validation: float = Field(default=0.15, gt=0, lt=1)
    """Share of the trials (or subjects) that stops and selects."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of the trials (or subjects) that is only scored."""
    split_seed: int = Field(default=0, ge=0)
    """Draws which trials (or subjects) go where."""
    interval_s: float = Field(default=2.0, gt=0)
    """Seconds of an interval; a native folder says its own."""
    frames: int = Field(default=16, ge=1, le=512)
    """Frames of an interval that are taken from a film, evenly in time; arrays and features have their own."""
    image_size: int = Field(default=224, ge=8, le=1024)
    """Rows and columns that a film's frames are scaled to."""
    decimate: int = Field(default=1, ge=1, le=32)
    """Keep one of this many EEG samples, after a low-pass filter."""
    most_trials: int | None = Field(default=None, ge=1)
    """Trials of each split at most; null takes all."""

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "TrialsConfig":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation {self.validation} and test {self.test} leave nothing to train on")
        return self

    def table(self) -> TrialTable:
        """The trials; nothing is read but headers."""
        from ablate.data.trials.layout import eav, mne, native, seed_dv

        folder = Path(self.path)
        if not folder.is_dir():
            raise AblateError(
                f"there is no folder {folder}", where="data.path", hint="paths are relative to where ablate runs"
            )
        if self.layout == "native":
            return native.read_folder(folder)
        reader = {"eav": eav.read_folder, "seed_dv": seed_dv.read_folder, "mne": mne.read_folder}[self.layout]
        return reader(folder, self.interval_s, FilmStyle(self.frames, self.image_size))

    def describe(self) -> FusionSpec:
        return self._spec(self.table())

    def _spec(self, table: TrialTable) -> FusionSpec:
        classes = len(table.labels)
        return FusionSpec(
            session_names=table.subjects,
            intervals=table.intervals,
            frames=table.frames,
            frame_shape=table.frame_shape,
            eeg_channels=len(table.channels),
            eeg_samples=table.samples // self.decimate,
            classes=classes,
            class_prior=(1 / classes,) * classes,
            labels_per="trial",
        )

    def summary(self) -> str:
        table = self.table()
        counts = f"{len(table.subjects)} subjects, {len(table.rows)} trials, {len(table.labels)} classes"
        return f"trials ({self.layout}, {Path(self.path).name}), {counts}"

    def open(self, device: torch.device) -> TrialDataset:
        table = self.table()
        spec = self._spec(table)
        if spec.eeg_samples % spec.intervals:
            raise AblateError(
                f"decimate {self.decimate} leaves {spec.eeg_samples} samples, "
                f"which {spec.intervals} intervals do not divide",
                where="data.decimate",
                hint=f"choose a divisor of {table.samples // table.intervals}",
            )
        splits = {name: self._split(table, rows) for name, rows in self.rows_of(table).items()}
        content = hashlib.blake2b(repr(sorted(non_default(self).items())).encode(), digest_size=16)
        for name, split in splits.items():
            content.update(repr((name, split.trial_ids, split.labels.tolist())).encode())
            content.update(split.eeg.tobytes())
            content.update(split.frame_mask.tobytes())
        return TrialDataset(splits, spec, self, fingerprint=content.hexdigest(), device=device)

    def rehearsal(self) -> "TrialsConfig":
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**values, "most_trials": min(self.most_trials or REHEARSED, REHEARSED)})

    def rows_of(self, table: TrialTable) -> dict[str, list[TrialRow]]:
        """Which trials each split holds: a seeded draw over trials within each subject, or over subjects."""
        rng = np.random.default_rng(self.split_seed)
        place: dict[str, str] = {}
        if self.split == "subject":
            drawn = self._draw(table.subjects, rng, "subjects")
            place = {row.trial_id: drawn[row.subject] for row in table.rows}
        elif any(row.stimulus for row in table.rows):  # what another subject was shown too is never in two splits
            drawn = self._draw(sorted({row.stimulus for row in table.rows}), rng, "stimuli")
            place = {row.trial_id: drawn[row.stimulus] for row in table.rows}
        else:
            for subject in table.subjects:
                place |= self._draw([row.trial_id for row in table.rows if row.subject == subject], rng, "trials")
        splits: dict[str, list[TrialRow]] = {"train": [], "validation": [], "test": []}
        for row in table.rows:
            splits[place[row.trial_id]].append(row)
        return {name: rows[: self.most_trials] for name, rows in splits.items()}

    def _draw(self, names: Sequence[str], rng: np.random.Generator, what: str) -> dict[str, str]:
        """A split for each name, at least one in each."""
        test, validation = (max(1, round(share * len(names))) for share in (self.test, self.validation))
        if len(names) <= test + validation:
            raise AblateError(
                f"{len(names)} {what} are too few for train, validation and test",
                where="data.split",
                hint="use `split: trial`" if what == "subjects" else "record more trials, or use `split: subject`",
            )
        order = [names[index] for index in rng.permutation(len(names))]
        return {
            name: "test" if index < test else "validation" if index < test + validation else "train"
            for index, name in enumerate(order)
        }

    def _split(self, table: TrialTable, rows: Sequence[TrialRow]) -> TrialSplit:
        subjects, labels = list(table.subjects), list(table.labels)
        return TrialSplit(
            trial_ids=tuple(row.trial_id for row in rows),
            session=np.array([subjects.index(row.subject) for row in rows]),
            eeg=np.stack([self._decimated(row.eeg()) for row in rows]),
            frames=FilmOfRows(tuple(rows), table.frames),
            frame_mask=np.stack([padded_mask(row.mask(), table.frames) for row in rows]),
            labels=np.array([[labels.index(row.label)] for row in rows]),
        )

    def _decimated(self, eeg: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.decimate == 1:
            return eeg
        from scipy.signal import decimate

        kept = decimate(eeg, self.decimate, ftype="fir", axis=1)
        return np.asarray(kept[:, : eeg.shape[1] // self.decimate], dtype=np.float32)


class FilmOfRows:
    """The frames of trials, read from their files when a batch asks for them."""

    def __init__(self, rows: tuple[TrialRow, ...], most: int):
        self.rows, self.most = rows, most

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        return np.stack([padded(self.rows[row].frames()[0], self.most) for row in rows])
