"""Poisson deviance explained: 1 is the counts themselves, 0 a constant rate, below zero is worse than that.

    D2(unit) = 1 - D(y, p) / D(y, r0),      D(y, p) = 2 sum_bins [ y ln(y / p) - y + p ]

over the valid bins of the split; p the predicted rate, y the count (y ln y is 0 at 0), r0 the unit's mean rate in the
*training* split, not below `NULL_RATE_FLOOR`. Units with fewer than `min_spikes` spikes in the split are excluded. In
the table the weight of a unit is D(y, r0) and its gain the difference of the two deviances, in nats. Unlike bits/spike
it says how much is left: counts of short bins cannot be told apart, so that even the true rate explains little.

Reference: McCullagh & Nelder 1989, Generalized linear models, section 2.3; Cameron & Windmeijer 1996, R-squared
measures for count data regression models, J. Bus. Econ. Stat. 14(2).
"""

import numpy as np
import torch
from torch import Tensor

from ablate.contract import NULL_RATE_FLOOR, Attainable, Batch, EncodingSpec
from ablate.result.record import Score
from ablate.training.loss import check_predictions, entry_nll, poisson_nll, select
from ablate.training.score.sums import UnitSums, over_bins, wide, widest
from ablate.training.score.table import EntryTable, SessionEntries, summarise


class DevianceScorer:
    """Sums of each unit's deviance gained, deviance of the null, and spikes."""

    def __init__(self, spec: EncodingSpec, min_spikes: int = 1):
        self.spec = spec
        self.min_spikes = max(1, min_spikes)
        self.sums = UnitSums([session.units for session in spec.sessions], quantities=3)
        rates = [torch.tensor(session.mean_rate, dtype=torch.float64) for session in spec.sessions]
        self.null_log_rates = [rate.clamp(min=NULL_RATE_FLOOR).log() for rate in rates]

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None:
        check_predictions(predictions, batch, "spikes")
        for prediction, target in zip(predictions, batch.targets, strict=True):
            nll = wide(entry_nll(prediction, target, "spikes", widest(prediction)))
            counts = wide(select(target.values, target.valid))
            valid = target.valid.to(counts.device)
            null = self.null_log_rates[target.session].to(counts.device).expand_as(counts)
            null_nll = select(poisson_nll(null, counts), valid)
            least = select(counts - torch.xlogy(counts, counts), valid)  # of a rate that is the count itself
            self.sums.add(target.session, over_bins(2 * (null_nll - nll), 2 * (null_nll - least), counts))

    def merge(self, other: "DevianceScorer") -> None:
        self.sums.merge(other.sums)

    def units(self) -> EntryTable:
        sessions = []
        for index, session in enumerate(self.spec.sessions):
            gain, null, spikes = self.sums.of(index)
            excluded = (spikes < self.min_spikes) | (null <= 0)
            sessions.append(SessionEntries(session.name, np.arange(session.units), gain, null, excluded))
        return EntryTable("poisson_deviance", 1.0, tuple(sessions))

    def score(self, scored_hash: str, attainable: Attainable | None = None, floor: Attainable | None = None) -> Score:
        """`attainable` and `floor` are gains of known rates in nats: twice that is a deviance."""
        known, least = ([2 * gain for gain in part] if part is not None else None for part in (attainable, floor))
        return summarise(self.units(), scored_hash, known, least)
