"""Pearson correlation of predicted rate and response over bins, blind to the scale of the rate.

    r(unit) = (n Σyp - Σy Σp) / sqrt( (n Σy² - (Σy)²) (n Σp² - (Σp)²) )

over the valid bins of the split. A unit whose response never changes is excluded; a constant prediction correlates
zero. In the table the weight of a unit is its number of bins and its gain r times that number. `min_spikes` is not
read: what can be correlated is scored.
"""

import numpy as np
from torch import Tensor

from ablate.contract import Attainable, Batch, EncodingSpec
from ablate.result.record import Score
from ablate.training.loss import LOWEST_LOG_RATE, check_predictions, select
from ablate.training.score.sums import UnitSums, over_bins, wide
from ablate.training.score.table import EntryTable, SessionEntries, summarise

LEAST_VARIANCE = 1e-12  # relative to the mean square: below it a sum of squares in double precision is rounding


class CorrelationScorer:
    """Sums of products of each unit's response and predicted rate."""

    def __init__(self, spec: EncodingSpec, min_spikes: int = 1):
        self.spec = spec
        self.sums = UnitSums([session.units for session in spec.sessions], quantities=6)

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None:
        check_predictions(predictions, batch, "spikes")
        for prediction, target in zip(predictions, batch.targets, strict=True):
            valid = wide(target.valid)
            rate = wide(select(prediction.clamp(min=LOWEST_LOG_RATE).float().exp(), target.valid))
            response = wide(select(target.values, target.valid))
            sums = over_bins(valid, response, rate, response**2, rate**2, response * rate)
            self.sums.add(target.session, sums)

    def merge(self, other: "CorrelationScorer") -> None:
        self.sums.merge(other.sums)

    def units(self) -> EntryTable:
        sessions = []
        for index, session in enumerate(self.spec.sessions):
            n, y, p, yy, pp, yp = self.sums.of(index)
            response, prediction = n * yy - y**2, n * pp - p**2
            excluded = response <= LEAST_VARIANCE * n * yy
            flat = prediction <= LEAST_VARIANCE * n * pp
            scale = np.sqrt(np.where(excluded | flat, 1.0, response * prediction))
            r = np.where(excluded | flat, 0.0, (n * yp - y * p) / scale)
            sessions.append(SessionEntries(session.name, np.arange(session.units), r * n, n, excluded))
        return EntryTable("correlation", 1.0, tuple(sessions))

    def score(self, scored_hash: str, attainable: Attainable | None = None, floor: Attainable | None = None) -> Score:
        """`attainable` and `floor` are in nats and have no counterpart here: they are left out."""
        return summarise(self.units(), scored_hash, None)
