"""Recorded trials of EEG and video: a native folder, or the folders of EAV, SEED-DV, and MNE.

Splits are drawn over trials or over subjects, never over segments; the same seed gives the same split for every
variant. Every trial is checked before anything is trained (`check`).
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field, field_validator, model_validator

from ablate.config import non_default
from ablate.contract import Folds, FusionSpec, TargetSpec
from ablate.data.trials.check.walk import Checked, CheckOptions, check_trials
from ablate.data.trials.config import TrialDataConfig
from ablate.data.trials.draw.folds import FoldsConfig, folds_of
from ablate.data.trials.draw.places import Draw, drawn_rows
from ablate.data.trials.layout.detect import LayoutName
from ablate.data.trials.layout.frames.film import FilmStyle, Fit
from ablate.data.trials.layout.table import TrialRow, TrialTable
from ablate.data.trials.opened.dataset import TrialDataset
from ablate.data.trials.opened.rows import split_of
from ablate.data.trials.opened.split import absent_classes
from ablate.data.trials.signal.filter import FilterOptions, Phase
from ablate.data.trials.signal.form import Bads, SignalOptions
from ablate.disk.listing import is_hidden
from ablate.disk.stamp import stamp_of
from ablate.errors import AblateError

REHEARSED = 8  # trials of each split that a rehearsal reads
READER = 4  # raised when the same files would be read otherwise


class TrialsConfig(TrialDataConfig):
    """EEG and video trials from files."""

    location_fields: ClassVar[tuple[str, ...]] = ("path",)

    type: Literal["trials"] = "trials"
    path: str
    """The folder."""
    layout: LayoutName = "native"
    """How the folder is laid out."""
    split: Literal["trial", "subject"] | FoldsConfig = "trial"  # type: ignore[assignment]
    """What is kept apart between train, validation and test: whole trials, or whole subjects; or the folds of a
    cross-validation: `{type: loso}`, `{type: kfold, by: subject, folds: 5}`."""
    validation: float = Field(default=0.15, gt=0, lt=1)
    """Share of the trials (or subjects) that stops and selects; in a fold, of those that it does not test."""
    test: float = Field(default=0.2, gt=0, lt=1)
    """Share of the trials (or subjects) that is only scored; a cross-validation tests each once."""
    split_seed: int = Field(default=0, ge=0)
    """Draws which trials (or subjects) go where; of trials, every class in proportion within every subject."""
    interval_s: float = Field(default=2.0, gt=0)
    """Seconds of an interval; a native folder says its own."""
    frames: int = Field(default=16, ge=1, le=512)
    """Frames of an interval that are taken from a film, evenly in time; arrays and features have their own."""
    image_size: int = Field(default=224, ge=8, le=1024)
    """Rows and columns that a film's frames are scaled to."""
    fit: Fit = "crop"
    """A film's frames keep their aspect ratio and lose what juts out of the square (crop, as image models are trained),
    or are pressed into it (stretch)."""
    pixel_max: float | None = Field(default=None, gt=0)
    """What white is in arrays of pixels that are not uint8: 1, 255, 4095, ..."""
    channels: tuple[str, ...] | None = None
    """EEG channels by name; null takes all, and then every file must have the same."""
    bads: Bads = "refuse"
    """What becomes of channels that a file marks as bad or that are flat: drop leaves them out of all trials,
    interpolate fills them in by spherical splines (needs MNE), keep keeps them."""
    resample_hz: float | None = Field(default=None, gt=0)
    """Bring all EEG to this rate, after a low-pass filter; null needs one rate in all files."""
    band_hz: tuple[float | None, float | None] | None = None
    """Band-pass of every trial, [low, high] in Hz, null at an open end: a Butterworth filter of order 4."""
    notch_hz: float | None = Field(default=None, gt=0)
    """Take out the mains, 50 or 60 Hz."""
    reference: Literal["recorded", "average"] | tuple[str, ...] = "recorded"
    """Subtract the average of all channels, or of those that are named."""
    filter_phase: Phase = "zero"
    """zero: forwards and backwards, so a sample knows what follows it. causal: forwards alone, and late."""
    zscore: Literal["train", "subject"] = "train"
    """Mean and deviation of each channel: over the training split, or each subject's own (of its training trials; of a
    subject that has none, of the trials that are scored, whose labels are not looked at)."""
    lengths: Literal["equal", "padded"] = "equal"
    """Trials of different length: refused (equal), or padded at their end to the longest one (native and mne). No pad
    is pooled, scored, or part of any mean."""
    most_absent: float = Field(default=0.25, ge=0, le=1)
    """Share of intervals without any frame that is put up with; 1 allows EEG alone."""
    sampling: Literal["natural", "balanced"] = "natural"
    """How training batches are drawn: every trial once an epoch, or every class as often as any other (with
    replacement; for labels that belong to trials). Scores are always over all trials as they are."""
    targets: tuple[str, ...] = ()
    """Numbers to learn in the place of classes: columns of the manifest, or of the files that its column `ratings`
    names. Scored in bits over the training split's distribution, correlation and concordance beside it."""
    numbers_are_classes: bool = False
    """Labels that are numbers are classes all the same, however many there are."""
    most_trials: int | None = Field(default=None, ge=1)
    """Trials of each split at most, of every subject in proportion; null takes all."""

    @field_validator("targets")
    @classmethod
    def _each_once(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(targets)) < len(targets):
            raise ValueError("a target stands there twice")
        return targets

    @model_validator(mode="after")
    def _asks_what_there_is(self) -> "TrialsConfig":
        if self.targets and self.layout not in ("native", "mne"):
            raise ValueError(f"`targets` are columns of a manifest, and the layout {self.layout} has none")
        if self.targets and self.sampling == "balanced":
            raise ValueError("`sampling: balanced` is of classes, and `targets` are numbers")
        if self.targets and self.numbers_are_classes:
            raise ValueError("`targets` are numbers, and `numbers_are_classes` says that labels are classes")
        return self

    @property
    def task(self) -> Literal["labels", "values"]:
        return "values" if self.targets else "labels"

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "TrialsConfig":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation {self.validation} and test {self.test} leave nothing to train on")
        if self.channels is not None and len(set(self.channels)) != len(self.channels or ()):
            raise ValueError("a channel stands in `channels` twice")
        return self

    @property
    def bins_per_row(self) -> int:
        try:
            table = self._table()
        except AblateError:  # it is said when the trials are opened
            return 1
        count = table.intervals if table.labels_per == "interval" else 1
        return count * max(len(self.targets), 1)

    def checked(self) -> Checked:
        """The trials of the folder, every one looked at. Raises AblateError with every fault at once."""
        folder = Path(self.path)
        if not folder.is_dir():
            hint = "paths are relative to where ablate runs; `ablate data make --type trials FOLDER` writes an example"
            raise AblateError(f"there is no folder {folder}", where="data.path", hint=hint)
        stamp = _stamp_of_files(self._table())
        return _checked(self._reading(), stamp_of((self.path,)), stamp)

    def _reading(self) -> "TrialsConfig":
        """What says how files are read, whatever is then done with the trials."""
        return TrialsConfig(**{name: value for name, value in self if name in _READING})

    @property
    def kept_apart(self) -> Literal["trial", "subject"]:
        return self.split.by if isinstance(self.split, FoldsConfig) else self.split

    @property
    def scales_by_subject(self) -> bool:
        return self.zscore == "subject"

    @property
    def balances_classes(self) -> bool:
        return self.sampling == "balanced"

    def folds(self) -> Folds | None:
        if not isinstance(self.split, FoldsConfig) or self.split.fold is not None:
            return None
        return folds_of(self.split, self.checked().table.subjects)

    def in_fold(self, fold: int | None) -> "TrialsConfig":
        assert isinstance(self.split, FoldsConfig)
        return self.changed(split=self.split.model_copy(update={"fold": fold}))

    def _table(self) -> TrialTable:
        """Kept while nobody touches the folder, or a file elsewhere that was read for it, as of ratings."""
        asked = self._reading(), stamp_of((self.path,))
        table, stamp = _table(*asked)
        if stamp != _stamp_of_files(table):
            _table.cache_clear()
            table, _ = _table(*asked)
        return table

    @property
    def check_options(self) -> CheckOptions:
        """What the check needs to know."""
        filters = FilterOptions(self.band_hz, self.notch_hz, self.reference, self.filter_phase)
        signal = SignalOptions(self.channels, self.bads, self.resample_hz, filters)
        return CheckOptions(signal, self.most_absent, self.numbers_are_classes)

    def read_table(self) -> TrialTable:
        """The trials by the headers of their files, and what is wrong with these."""
        from ablate.data.trials.layout import eav, mne, native, seed_dv

        folder, style = Path(self.path), FilmStyle(self.frames, self.image_size, self.fit)
        if self.layout == "native":
            return native.read_folder(folder, self.pixel_max, self.targets, padded=self.lengths == "padded")
        if self.layout == "seed_dv":
            return seed_dv.read_folder(folder, self.interval_s, style, self.pixel_max)
        if self.layout == "mne":
            return mne.read_folder(folder, self.interval_s, style, self.targets, padded=self.lengths == "padded")
        return eav.read_folder(folder, self.interval_s, style)

    def sources(self) -> tuple[str, ...]:
        """The folder, and the files that its manifest names and that lie outside of it or are hidden in it."""
        folder = Path(self.path).resolve()
        try:
            files = self._table().files
        except AblateError:  # it is said when the trials are opened
            files = ()
        return (self.path, *sorted({str(file) for file in files if not _is_met(file.resolve(), folder)}))

    def describe(self) -> FusionSpec:
        return self._spec(self.checked())

    def _spec(self, checked: Checked) -> FusionSpec:
        table, signal = checked.table, checked.signal
        classes = len(table.labels)
        return FusionSpec(
            session_names=table.subjects,
            intervals=table.intervals,
            frames=table.frames,
            frame_shape=table.frame_shape,
            eeg_channels=len(signal.channels),
            eeg_samples=signal.samples,
            classes=classes,
            class_prior=(1 / max(classes, 1),) * classes,
            labels_per=table.labels_per,
            class_names=table.labels,
            targets=tuple(TargetSpec(name) for name in table.targets),
        )

    def summary(self) -> str:
        table = self.checked().table
        learned = f"{len(table.labels)} classes" if not table.targets else ", ".join(table.targets)
        counts = f"{len(table.subjects)} subjects, {len(table.rows)} trials, {learned}"
        return f"trials ({self.layout}, {Path(self.path).name}), {counts}"

    def open(self, device: torch.device) -> TrialDataset:
        checked = self.checked()
        facts = dict(zip((row.trial_id for row in checked.table.rows), checked.facts, strict=True))
        if self.sampling == "balanced" and checked.table.labels_per == "interval":
            hint = "a trial holds labels of several classes: leave `sampling` out"
            raise AblateError("sampling balanced needs one label a trial", where="data.sampling", hint=hint)
        splits = {name: split_of(checked, rows, facts) for name, rows in self.rows_of(checked.table).items()}
        spec, signal = self._spec(checked), checked.signal
        fields = sorted(non_default(self, locations=False).items())
        shared = (READER, fields, spec, signal.channels, signal.rate_hz, signal.seconds)
        content = hashlib.blake2b(repr(shared).encode(), digest_size=16)
        for name, split in splits.items():
            content.update(repr((name, split.trial_ids, split.session.tolist(), split.labels.tolist())).encode())
            content.update(split.eeg.tobytes())
            content.update(split.frame_mask.tobytes())
            content.update(b"" if split.lengths is None else split.lengths.tobytes())
            content.update(b"".join(facts[trial].content for trial in split.trial_ids))
        dealt = {trial for split in splits.values() for trial in split.trial_ids}
        for row in checked.table.rows:  # `most_trials` leaves some out of this fold, which others test
            if isinstance(self.split, FoldsConfig) and self.split.fold is None and row.trial_id not in dealt:
                content.update(repr((row.trial_id, row.subject, row.own_labels, row.values)).encode())
                content.update(checked.signal.read(row).tobytes())
                content.update(facts[row.trial_id].mask.tobytes() + facts[row.trial_id].content)
        fingerprint = content.hexdigest()
        notices = checked.notices
        if not isinstance(self.split, FoldsConfig):  # what one fold does not test, another does
            notices += tuple(absent_classes(splits, checked.table.labels))
        return TrialDataset(splits, spec, self, fingerprint=fingerprint, device=device, notices=notices)

    def rehearsal(self) -> "TrialsConfig":
        split = self.split
        if isinstance(split, FoldsConfig):  # a rehearsal needs no more than one fold
            split = split.model_copy(update={"fold": split.here})
        return self.changed(split=split, most_trials=min(self.most_trials or REHEARSED, REHEARSED))

    def rows_of(self, table: TrialTable) -> dict[str, list[TrialRow]]:
        """Which trials each split holds."""
        return drawn_rows(table, Draw(self.split, self.test, self.validation, self.split_seed, self.most_trials))


_READING = (
    *("path", "layout", "interval_s", "frames", "image_size", "fit", "pixel_max"),
    *("channels", "bads", "resample_hz", "most_absent", "numbers_are_classes", "targets"),
    "lengths",
    *("band_hz", "notch_hz", "reference", "filter_phase"),
)


def _is_met(file: Path, folder: Path) -> bool:
    """Whether a walk through the folder comes to the file."""
    return folder in file.parents and not any(map(is_hidden, file.relative_to(folder).parts))


def _stamp_of_files(table: TrialTable) -> str:
    return stamp_of([str(file) for file in table.files if file.is_file()])


@lru_cache(maxsize=2)
def _table(config: TrialsConfig, stamp: str) -> tuple[TrialTable, str]:
    """The table, and how its files looked when it was read."""
    table = config.read_table()
    return table, _stamp_of_files(table)


@lru_cache(maxsize=2)
def _checked(config: TrialsConfig, stamp: str, stamp_of_files: str) -> Checked:
    """Kept while nobody touches the files: variants, rehearsals and prices share one walk."""
    return check_trials(_table(config, stamp)[0], config.check_options)
