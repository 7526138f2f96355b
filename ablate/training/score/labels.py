"""bits per label: information gain over the class prior of the training split, per label of a trial.

    bits/label(trial) = sum_labels [ ln q(y) - ln prior(y) ] / (ln 2 * labels of the trial)

q the predicted probability; a prior of zero is raised to `LEAST_PRIOR`. The scored entries are trials, nested in
sessions (subjects). Accuracy is over all labels of the split; balanced accuracy is the mean recall of the classes
that occur in it. `min_spikes` is not read: labels need no spikes.
"""

import math

import numpy as np
import torch
from einops import reduce
from numpy.typing import NDArray
from torch import Tensor

from ablate.contract import Attainable, Batch, FusionSpec
from ablate.result.record import Score
from ablate.training.loss import check_predictions, entry_nll, select
from ablate.training.score.sums import widest
from ablate.training.score.table import EntryTable, SessionEntries, summarise

LEAST_PRIOR = 1e-4  # a class that the training split never shows would otherwise give an infinite gain


class LabelScorer:
    """Rows (trial, gain in nats, labels) of each session, and tallies (seen, right) of each class."""

    def __init__(self, spec: FusionSpec, min_spikes: int = 1):
        self.spec = spec
        self.log_prior = torch.tensor(spec.class_prior, dtype=torch.float64).clamp(min=LEAST_PRIOR).log()
        self.rows: list[list[NDArray[np.float64]]] = [[] for _ in spec.session_names]
        self.tallies = np.zeros((2, spec.classes))

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None:
        check_predictions(predictions, batch, "labels")
        for prediction, target in zip(predictions, batch.targets, strict=True):
            if target.entry is None:
                raise ValueError("a labelled target needs `entry`, the index of each row's trial in its session")
            valid, labels = target.valid.cpu(), select(target.values, target.valid).long().cpu()
            nll = entry_nll(prediction, target, "labels", widest(prediction)).cpu().double()
            gain = select(-self.log_prior[labels], valid) - nll
            columns = (target.entry.cpu(), reduce(gain, "b n -> b", "sum"), reduce(valid.double(), "b n -> b", "sum"))
            self.rows[target.session].append(torch.stack([column.double() for column in columns], dim=-1).numpy())
            self._tally(prediction.cpu().argmax(dim=-1), labels, valid)

    def _tally(self, guesses: Tensor, labels: Tensor, valid: Tensor) -> None:
        seen, right = labels[valid].numpy(), labels[valid & (guesses == labels)].numpy()
        for row, classes in enumerate((seen, right)):
            self.tallies[row] += np.bincount(classes, minlength=self.spec.classes)

    def merge(self, other: "LabelScorer") -> None:
        self.tallies += other.tallies
        for mine, theirs in zip(self.rows, other.rows, strict=True):
            mine.extend(theirs)

    def units(self) -> EntryTable:
        sessions = []
        for name, rows in zip(self.spec.session_names, self.rows, strict=True):
            table = np.concatenate([*rows, np.zeros((0, 3))])  # (row, [trial, gain, labels])
            trials, index = np.unique(table[:, 0].astype(np.int64), return_inverse=True)
            gain, labels = (np.bincount(index, table[:, column], len(trials)).astype(float) for column in (1, 2))
            sessions.append(SessionEntries(name, trials, gain, labels, labels < 1))
        return EntryTable("bits_per_label", math.log(2), tuple(sessions))

    def score(self, scored_hash: str, attainable: Attainable | None = None, floor: Attainable | None = None) -> Score:
        seen, right = self.tallies
        recall = right[seen > 0] / seen[seen > 0]
        accuracies = {
            "accuracy": float(right.sum() / max(seen.sum(), 1)),
            "balanced_accuracy": float(recall.mean()) if len(recall) else 0.0,
        }
        return summarise(self.units(), scored_hash, attainable, floor, **accuracies)
