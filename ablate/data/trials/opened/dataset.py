"""Opened trials: seeded training batches, ordered sweeps, and what a perfect observer would score.

The EEG is z-scored per channel by the training split, or by each subject's own trials. Rows of a batch are grouped by
subject, as `FusionBatch` asks.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablate.contract import FusionBatch, FusionSpec, Showings, Split, Target, frame_key
from ablate.data.crossing import sent
from ablate.data.trials.augment import Place, augmented
from ablate.data.trials.config import TrialDataConfig
from ablate.data.trials.opened.split import TrialSplit, check_overlap, known_keys
from ablate.errors import AblateError

FLAT = 1e-3
"""Standard deviation over the training split, in those of the median channel, below which a channel did not move."""
SHUFFLE_SEEDS = {"train": 1, "validation": 2, "test": 3}


class TrialDataset:
    """The Dataset of a fusion study; `splits` holds train, validation and test."""

    def __init__(
        self,
        splits: dict[str, TrialSplit],
        spec: FusionSpec,
        config: TrialDataConfig,
        *,
        fingerprint: str,
        device: torch.device,
        notices: tuple[str, ...] = (),
    ):
        check_overlap(splits, config.kept_apart)
        self.spec: FusionSpec = with_prior(spec, splits["train"])
        self.fingerprint: str = fingerprint
        self.metric: str = config.metric
        self.augment = config.augment
        self.poison, self.balanced = config.poison_pads, config.balances_classes
        self.device, self.notices = device, notices
        scales = scales_of(splits, by_subject=config.scales_by_subject)
        splits = {**splits, "train": splits["train"].first(config.fraction)}
        if config.shuffle_pairs:
            splits = {name: split.with_shuffled_video(SHUFFLE_SEEDS[name]) for name, split in splits.items()}
        self.splits = splits
        self._eeg = {name: torch.from_numpy(z_scored(split, scales, name)) for name, split in splits.items()}
        self._known_keys: dict[str, dict[int, NDArray[np.int64]]] = {}
        self._entry = {name: entries(split.session) for name, split in splits.items()}

    def train(self, *, seed: int, batch_size: int) -> "TrialStream":
        return TrialStream(self, seed, batch_size)

    def sweep(self, split: Split, *, batch_size: int) -> Iterator[FusionBatch]:
        """Every trial of the split once, ordered by subject."""
        order = np.argsort(self.splits[split].session, kind="stable")
        for start in range(0, len(order), batch_size):
            yield self.batch(split, order[start : start + batch_size])

    def scored_hash(self, split: Split) -> str:
        """Hash of subjects, trials and labels of the split: what is scored, whatever the controls do to the input."""
        trials = self.splits[split]
        content = hashlib.blake2b(digest_size=16)
        content.update("\n".join(trials.trial_ids).encode())
        content.update(np.ascontiguousarray(trials.session).tobytes())
        content.update(np.ascontiguousarray(trials.labels).tobytes())
        return content.hexdigest()

    def attainable(self, split: Split) -> tuple[NDArray[np.float64], ...] | None:
        """Gain of the true label probabilities over the class prior, nats a trial, one array a subject."""
        trials = self.splits[split]
        if trials.truth is None:
            return None
        null = np.log(np.maximum(np.asarray(self.spec.class_prior), 1e-12))
        chosen = np.maximum(trials.labels, 0)[..., None]
        gain = np.take_along_axis(trials.truth - null, chosen, axis=2)[..., 0]
        total = np.where(trials.labels >= 0, gain, 0.0).sum(axis=1)
        return tuple(total[trials.session == session] for session in range(len(self.spec.session_names)))

    def entry_names(self, split: Split) -> tuple[tuple[str, ...], ...]:
        """Ids of the trials of each subject."""
        trials = self.splits[split]
        of = [np.flatnonzero(trials.session == session) for session in range(len(self.spec.session_names))]
        return tuple(tuple(trials.trial_ids[row] for row in rows) for rows in of)

    def floor(self, split: Split) -> None:
        """Trials know no score that is reached without what the study asks about."""

    @property
    def min_spikes(self) -> int:
        """Labels need no spikes."""
        return 1

    def scored_units(self, split: Split) -> int:
        """Trials with a valid label."""
        valid = self.splits[split].valid
        return int(valid.reshape(len(valid), -1).any(axis=1).sum())

    def showings(self) -> tuple[Showings, ...]:
        """None: a trial has one label."""
        return ()

    def sweep_showings(self, showings: Showings, *, batch_size: int) -> Iterator[FusionBatch]:
        return iter(())

    def attainable_accuracy(self, split: Split) -> float | None:
        """Share of labels that the true probabilities get right; None where truth is unknown."""
        trials = self.splits[split]
        if trials.truth is None:
            return None
        right = trials.truth.argmax(axis=2) == trials.labels
        return float(right[trials.labels >= 0].mean())

    def to(self, device: torch.device) -> "TrialDataset":
        self.device = device
        return self

    def batch(self, split: str, rows: NDArray[np.int64]) -> FusionBatch:
        """The trials of these rows, grouped by subject in the order of their index."""
        trials = self.splits[split]
        rows = rows[np.argsort(trials.session[rows], kind="stable")]
        mask, lasting = torch.from_numpy(trials.frame_mask[rows]), None
        if (known := trials.lasting) is not None:
            lasting = torch.from_numpy(known[rows])
            mask &= lasting[..., None]  # another trial's film may be longer than this trial
        named = known_keys(trials.frames, rows)
        shown = None if named is not None else np.ascontiguousarray(trials.frames[rows])

        def load() -> Tensor:
            frames = torch.from_numpy(np.ascontiguousarray(trials.frames[rows]) if shown is None else shown)
            return sent(poisoned(frames, mask) if self.poison else frames, self.device)

        eeg = self._eeg[split][torch.from_numpy(rows)]
        if self.poison:
            eeg = eeg.masked_fill(~torch.from_numpy(trials.recorded[rows])[:, None], torch.nan)
        return FusionBatch(
            eeg=sent(eeg, self.device),
            shown=load if shown is None else load(),
            frame_mask=sent(mask, self.device),
            targets=self._targets(split, rows),
            frame_keys=self._keys(split, rows, shown)
            if shown is not None
            else torch.from_numpy(np.asarray(named, dtype="<u8").view(np.int64)),
            lasting=None if lasting is None else sent(lasting, self.device),
        )

    def _keys(self, split: str, rows: NDArray[np.int64], shown: NDArray[np.generic]) -> Tensor | None:
        """Content keys of pixels (b, i, f, 2), hashed when a trial is first met; features have none."""
        if shown.ndim != 6:
            return None
        known = self._known_keys.setdefault(split, {})
        for row, film in zip(rows.tolist(), shown, strict=True):
            if row not in known:
                known[row] = np.stack([[frame_key(frame) for frame in interval] for interval in film]).view(np.int64)
        return torch.from_numpy(np.stack([known[row] for row in rows.tolist()]))

    def _targets(self, split: str, rows: NDArray[np.int64]) -> tuple[Target, ...]:
        """Of rows that are grouped by subject: three copies to the device, however many subjects there are."""
        trials = self.splits[split]
        valid, entry, labels = (
            sent(torch.from_numpy(values), self.device)
            for values in (trials.valid[rows], self._entry[split][rows], self._values(trials.labels[rows]))
        )
        subjects, starts = np.unique(trials.session[rows], return_index=True)
        return tuple(
            Target(int(subject), labels[start:end], valid[start:end], entry[start:end])
            for subject, (start, end) in zip(subjects, pairwise([*starts, len(rows)]), strict=True)
        )

    def _values(self, labels: NDArray[np.generic]) -> NDArray[np.generic]:
        """What a target holds: class indices, or numbers z-scored by the training split; zero where there is none."""
        if not self.spec.targets:
            return np.maximum(labels, 0)
        mean, sd = np.array([(one.mean, one.sd) for one in self.spec.targets]).T
        return np.nan_to_num((labels - mean) / sd).astype(np.float32)


class TrialStream:
    """Endless training batches: a new permutation each epoch, from the seed and the epoch alone."""

    def __init__(self, data: TrialDataset, seed: int, batch_size: int):
        self.data, self.seed = data, seed
        self.size = min(batch_size, len(data.splits["train"]))
        self.epoch, self.position = 0, 0

    def __iter__(self) -> "TrialStream":
        return self

    def __next__(self) -> FusionBatch:
        count = len(self.data.splits["train"])
        if self.position + self.size > count:
            self.epoch, self.position = self.epoch + 1, 0
        order = self._order(count)
        rows = order[self.position : self.position + self.size]
        place = Place(self.seed, self.epoch, self.position)
        self.position += self.size
        return augmented(self.data.batch("train", rows), self.data.augment, place)

    def _order(self, count: int) -> NDArray[np.int64]:
        """The epoch's trials: each once, or as many drawn so that every class comes equally often."""
        rng = np.random.default_rng([self.seed, self.epoch])
        if not self.data.balanced:
            return np.asarray(rng.permutation(count))
        labels = self.data.splits["train"].labels[:, 0]
        weights = 1 / np.bincount(labels)[labels]
        return np.asarray(rng.choice(count, size=count, p=weights / weights.sum()))

    def state_dict(self) -> dict[str, object]:
        return {"epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # as `state_dict` gave it
        self.epoch, self.position = int(state["epoch"]), int(state["position"])


def entries(session: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each trial's place among the trials of its subject."""
    place = np.empty_like(session)
    for subject in np.unique(session):
        own = session == subject
        place[own] = np.arange(own.sum())
    return place


Scale = tuple[NDArray[np.float64], NDArray[np.float64]]


def scales_of(splits: Mapping[str, TrialSplit], *, by_subject: bool) -> dict[tuple[str, int | None], Scale]:
    """(split, subject) -> mean and standard deviation of each channel (c, 1). subject: None for all of them.

    Of a subject that is trained on, from its training trials, for every split; of another, from its own trials there.
    """
    train = splits["train"]
    if not by_subject:
        return {(name, None): scale_of(train.eeg, train.recorded) for name in splits}
    found: dict[tuple[str, int | None], Scale] = {}
    for name, split in splits.items():
        for subject in np.unique(split.session).tolist():
            of = train if (train.session == subject).any() else split
            own = of.session == subject
            found[name, subject] = scale_of(of.eeg[own], of.recorded[own])
    return found


def scale_of(eeg: NDArray[np.float32], recorded: NDArray[np.bool_]) -> Scale:
    """Mean and standard deviation of each channel over trials and the samples that they have (c, 1)."""
    if not recorded.all():
        eeg = np.moveaxis(eeg, 1, 2)[recorded].T[None]  # (1, c, samples of all trials)
    mean = eeg.mean(axis=(0, 2), dtype=np.float64)[:, None]
    return mean, eeg.std(axis=(0, 2), dtype=np.float64)[:, None] + 1e-12


def z_scored(split: TrialSplit, scales: Mapping[tuple[str, int | None], Scale], name: str) -> NDArray[np.float32]:
    """The EEG of a split in standard deviations, zero beyond the end of a trial."""
    if (name, None) in scales:
        return np.where(split.recorded[:, None], scaled(split.eeg, *scales[name, None]), np.float32(0))
    z = np.empty_like(split.eeg)
    for subject in np.unique(split.session).tolist():
        own = split.session == subject
        z[own] = scaled(split.eeg[own], *scales[name, subject])
    return np.where(split.recorded[:, None], z, np.float32(0))


def scaled(eeg: NDArray[np.float32], mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float32]:
    """z-scores; zero in a channel that did not move where its scale was taken, which nobody knows."""
    z = ((eeg - mean) / std).astype(np.float32)
    z[:, (std < FLAT * np.median(std))[:, 0]] = 0
    return z


def with_prior(spec: FusionSpec, train: TrialSplit) -> FusionSpec:
    """The spec with what the training split says before anything is seen: frequencies of classes, or mean and standard
    deviation (divided by n) of each number. Raises AblateError for a number that is constant there."""
    if not spec.targets:
        return replace(spec, class_prior=class_prior(train, spec.classes))
    found = []
    for place, target in enumerate(spec.targets):
        values = train.labels[..., place]
        values = values[np.isfinite(values)]
        if len(np.unique(values)) < 2:
            what = f"{target.name} is rated {len(values)} times in the training split, and never differs there"
            raise AblateError(what, where="data.targets", hint="rate more trials, or change `data.split_seed`")
        found.append(replace(target, mean=float(values.mean()), sd=float(values.std())))
    return replace(spec, targets=tuple(found))


def class_prior(train: TrialSplit, classes: int) -> tuple[float, ...]:
    """Frequency of each class among the training labels."""
    labels = train.labels[train.labels >= 0]
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    return tuple((counts / max(1, counts.sum())).tolist())


def poisoned(frames: Tensor, mask: Tensor) -> Tensor:
    """The frames as floats with NaN in every pad."""
    pads = ~mask.reshape(*mask.shape, *[1] * (frames.ndim - mask.ndim))
    return frames.float().masked_fill(pads, torch.nan)
