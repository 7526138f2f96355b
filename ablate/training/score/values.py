"""bits per label of numbers: information gain of the predicted Gaussian over that of the training split.

    bits/label(trial) = sum_labels [ ln N(y; m, s) - ln N(y; m0, s0) ] / (ln 2 * labels of the trial)

y a number (one of `FusionSpec.targets` at one place), m and s what the model predicts, m0 and s0 mean and standard
deviation of that target in the *training* split, divided by n: of all constants these have the highest likelihood
there. A change of unit changes nothing: both densities change alike. The scored entries are trials, nested in sessions
(subjects). Correlation and concordance (`result/measure/agreement.py`) are of y and m over all labels of the split, and
of each subject. `min_spikes` is not read.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablate.contract import Attainable, Batch, FusionSpec
from ablate.result.measure.agreement import concordance, correlation, mean_known, moments_of
from ablate.result.record import Score, TargetScore
from ablate.training.loss import LOWEST_LOG_SD, check_predictions, entry_nll, select
from ablate.training.score.predictions import ValuePredictions
from ablate.training.score.sums import wide, widest
from ablate.training.score.table import EntryTable, SessionEntries, summarise

COLUMNS = 7  # trial, place, target, z-score, predicted mean and log sd, nats gained


class ValueScorer:
    """Rows of `COLUMNS` of each session."""

    def __init__(self, spec: FusionSpec, min_spikes: int = 1):
        self.spec = spec
        self.rows: list[list[NDArray[np.float64]]] = [[] for _ in spec.session_names]
        self.unrated: list[set[int]] = [set() for _ in spec.session_names]

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None:
        check_predictions(predictions, batch, "values")
        for prediction, target in zip(predictions, batch.targets, strict=True):
            if target.entry is None:
                raise ValueError("a rated target needs `entry`, the index of each row's trial in its session")
            valid, entry = target.valid.cpu(), target.entry.cpu()
            z = wide(select(target.values, target.valid)).cpu()
            said = wide(select(prediction, target.valid.unsqueeze(-1))).cpu()
            gain = z**2 / 2 - entry_nll(prediction, target, "values", widest(prediction)).cpu().double()
            trial, place, which = torch.nonzero(valid, as_tuple=True)
            columns = [entry[trial].double(), place.double(), which.double(), z[valid], *said[valid].T, gain[valid]]
            self.rows[target.session].append(torch.stack(columns, dim=1).numpy())
            self.unrated[target.session] |= set(entry[~valid.flatten(1).any(dim=1)].tolist())

    def merge(self, other: "ValueScorer") -> None:
        for mine, theirs in zip(self.rows, other.rows, strict=True):
            mine.extend(theirs)
        for here, there in zip(self.unrated, other.unrated, strict=True):
            here |= there

    def units(self) -> EntryTable:
        sessions, tables = [], [self._table(index) for index in range(len(self.rows))]
        for name, table, unrated in zip(self.spec.session_names, tables, self.unrated, strict=True):
            of, without = table[:, 0].astype(np.int64), np.array(sorted(unrated), dtype=np.int64)
            trials, place = np.unique(np.concatenate([of, without]), return_inverse=True)
            total = np.bincount(place[: len(of)], table[:, 6], len(trials)).astype(float)
            labels = np.bincount(place[: len(of)], minlength=len(trials)).astype(float)
            sessions.append(SessionEntries(name, trials, total, labels, labels < 1))
        return EntryTable("bits_per_value", math.log(2), tuple(sessions), self._predictions(tables))

    def _table(self, session: int) -> NDArray[np.float64]:
        """Its rows, in an order that does not depend on the batches."""
        table = np.concatenate([*self.rows[session], np.zeros((0, COLUMNS))])
        return np.asarray(table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))])

    def _predictions(self, tables: list[NDArray[np.float64]]) -> ValuePredictions:
        """In the unit of the numbers."""
        session = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        table = np.concatenate(tables)
        entry, place, target = (table[:, column].astype(np.int64) for column in range(3))
        shift = np.array([one.mean for one in self.spec.targets])[target]
        scale = np.array([one.sd for one in self.spec.targets])[target]
        value, mean = (shift + scale * table[:, column] for column in (3, 4))
        sd = scale * np.exp(np.maximum(table[:, 5], LOWEST_LOG_SD))
        names = tuple(one.name for one in self.spec.targets)
        return ValuePredictions(self.spec.session_names, names, session, entry, place, target, value, mean, sd)

    def score(self, scored_hash: str, attainable: Attainable | None = None, floor: Attainable | None = None) -> Score:
        table = self.units()
        said = table.predictions
        assert isinstance(said, ValuePredictions)
        gain = np.concatenate([self._table(index)[:, 6] for index in range(len(self.rows))])
        score = summarise(table, scored_hash, attainable, floor, targets=_targets(said, gain), **_agreement(said))
        sessions = tuple(
            session.model_copy(update=_agreement(said, index)) if session.entries else session
            for index, session in enumerate(score.sessions)
        )
        return score.model_copy(update={"sessions": sessions})


def _targets(said: ValuePredictions, gain: NDArray[np.float64]) -> tuple[TargetScore, ...]:
    """gain: nats of each number."""
    found = []
    for index, name in enumerate(said.targets):
        own = said.target == index
        bits = float(gain[own].mean() / math.log(2)) if own.any() else 0.0
        found.append(TargetScore(name=name, bits=bits, moments=moments_of(said.value[own], said.mean[own])))
    return tuple(found)


def _agreement(said: ValuePredictions, session: int | None = None) -> dict[str, float | None]:
    """Over all labels, or over those of one session: means over the targets."""
    own = np.ones(len(said), dtype=np.bool_) if session is None else said.session == session
    each = [own & (said.target == index) for index in range(len(said.targets))]
    moments = [moments_of(said.value[rows], said.mean[rows]) for rows in each]
    return {
        "correlation": mean_known([correlation(one) for one in moments]),
        "concordance": mean_known([concordance(one) for one in moments]),
    }
