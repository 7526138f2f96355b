"""bits per label: information gain over the class prior of the training split, per label of a trial.

    bits/label(trial) = sum_labels [ ln q(y) - ln prior(y) ] / (ln 2 * labels of the trial)

q the predicted probability; a prior of zero is raised to `LEAST_PRIOR`. The scored entries are trials, nested in
sessions (subjects). Accuracies, macro F1, calibration and the confusion matrix (`result/measure/confusion.py`) are over
all labels of the split, and of each subject. `min_spikes` is not read: labels need no spikes.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablate.contract import Attainable, Batch, FusionSpec
from ablate.disk.read import Json
from ablate.result.measure.confusion import accuracy, balanced_accuracy, calibration_error, confusion, macro_f1
from ablate.result.record import Score
from ablate.training.loss import check_predictions, entry_nll, select
from ablate.training.score.predictions import Predictions
from ablate.training.score.sums import widest
from ablate.training.score.table import EntryTable, SessionEntries, summarise

LEAST_PRIOR = 1e-4  # a class that the training split never shows would otherwise give an infinite gain


class LabelScorer:
    """Rows (trial, place of the label, label, log-probability of each class) of each session."""

    def __init__(self, spec: FusionSpec, min_spikes: int = 1):
        self.spec = spec
        self.log_prior = np.log(np.maximum(np.asarray(spec.class_prior, dtype=np.float64), LEAST_PRIOR))
        self.rows: list[list[NDArray[np.float64]]] = [[] for _ in spec.session_names]
        self.unlabelled: list[set[int]] = [set() for _ in spec.session_names]

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None:
        check_predictions(predictions, batch, "labels")
        for prediction, target in zip(predictions, batch.targets, strict=True):
            if target.entry is None:
                raise ValueError("a labelled target needs `entry`, the index of each row's trial in its session")
            valid = target.valid.cpu()
            labels = select(target.values, target.valid).long().cpu()
            wide = select(prediction.to(widest(prediction)), target.valid.unsqueeze(-1)).log_softmax(-1).cpu().double()
            nll = entry_nll(prediction, target, "labels", widest(prediction)).cpu().double()
            wide = wide.scatter(-1, labels.unsqueeze(-1), -nll.unsqueeze(-1))  # the loss's own value, to the last bit
            row, place = torch.nonzero(valid, as_tuple=True)
            entry = target.entry.cpu()
            columns = torch.stack([entry[row].double(), place.double(), labels[valid].double()], dim=1)
            self.rows[target.session].append(torch.cat([columns, wide[valid]], dim=1).numpy())
            self.unlabelled[target.session] |= set(entry[~valid.any(dim=1)].tolist())

    def merge(self, other: "LabelScorer") -> None:
        for mine, theirs in zip(self.rows, other.rows, strict=True):
            mine.extend(theirs)
        for here, there in zip(self.unlabelled, other.unlabelled, strict=True):
            here |= there

    def units(self) -> EntryTable:
        said = self.predictions()
        gain = np.take_along_axis(said.log_probability, said.label[:, None], axis=1)[:, 0] - self.log_prior[said.label]
        sessions = []
        for index, name in enumerate(self.spec.session_names):
            own = said.session == index
            trials, place = np.unique(
                np.concatenate([said.entry[own], np.array(sorted(self.unlabelled[index]), dtype=np.int64)]),
                return_inverse=True,
            )
            labelled = place[: own.sum()]
            total = np.bincount(labelled, gain[own], len(trials)).astype(float)
            labels = np.bincount(labelled, minlength=len(trials)).astype(float)
            sessions.append(SessionEntries(name, trials, total, labels, labels < 1))
        return EntryTable("bits_per_label", math.log(2), tuple(sessions), said)

    def predictions(self) -> Predictions:
        """Of all labels, in an order that does not depend on the batches."""
        names = self.spec.class_names or tuple(map(str, range(self.spec.classes)))
        empty = np.zeros((0, 3 + self.spec.classes))
        tables = [np.concatenate([*rows, empty]) for rows in self.rows]
        session = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        table = np.concatenate([*tables, empty])
        order = np.lexsort((table[:, 1], table[:, 0], session))
        session, table = session[order], table[order]
        entry, place, label = (table[:, column].astype(np.int64) for column in range(3))
        return Predictions(self.spec.session_names, names, session, entry, place, label, table[:, 3:])

    def score(self, scored_hash: str, attainable: Attainable | None = None, floor: Attainable | None = None) -> Score:
        table = self.units()
        said = table.predictions
        assert isinstance(said, Predictions)
        names = said.classes if self.spec.class_names else ()
        score = summarise(table, scored_hash, attainable, floor, class_names=names, **_of_classes(said))
        own = (_of_classes(said, index) for index in range(len(score.sessions)))
        kept = ("accuracy", "balanced_accuracy", "macro_f1")
        sessions = tuple(
            session.model_copy(update={name: facts[name] for name in kept}) if session.entries else session
            for session, facts in zip(score.sessions, own, strict=True)
        )
        return score.model_copy(update={"sessions": sessions})


def _of_classes(said: Predictions, session: int | None = None) -> Json:
    """The figures of a confusion matrix over all labels, or over those of one session."""
    own = np.ones(len(said), dtype=np.bool_) if session is None else said.session == session
    label, guess = said.label[own], said.guess[own]
    matrix = confusion(label, guess, len(said.classes))
    return {
        "accuracy": accuracy(matrix),
        "balanced_accuracy": balanced_accuracy(matrix),
        "macro_f1": macro_f1(matrix),
        "calibration_error": calibration_error(
            np.exp(said.log_probability[own].max(axis=1, initial=-np.inf)), label == guess
        ),
        "confusion": tuple(tuple(row) for row in matrix.tolist()),
    }
