"""bits/spike: information gain over a constant rate, in bits, per spike.

    bits/spike(unit) = sum_bins [ (y ln p - p) - (y ln r0 - r0) ] / (ln 2 * sum_bins y)

over the valid bins of the split; p the predicted rate, y the count, r0 the unit's mean rate in the *training* split,
not below `NULL_RATE_FLOOR`. Units with fewer than `min_spikes` spikes (never fewer than one) in the split are excluded.
Reference: the single-spike information of Brenner et al. 2000, as used by Pillow et al. 2008.
"""

import math

import numpy as np
import torch
from torch import Tensor

from ablate.contract import NULL_RATE_FLOOR, Attainable, Batch, EncodingSpec
from ablate.result.record import Score
from ablate.training.loss import check_predictions, entry_nll, poisson_nll, select
from ablate.training.score.blocks import TimeSums
from ablate.training.score.sums import UnitSums, over_bins, wide, widest
from ablate.training.score.table import EntryTable, SessionEntries, summarise


class SpikeScorer:
    """Sums of each unit's gain (nats) and spikes."""

    def __init__(self, spec: EncodingSpec, min_spikes: int = 1):
        self.spec = spec
        self.min_spikes = max(1, min_spikes)
        self.sums = UnitSums([session.units for session in spec.sessions], quantities=2)
        self.times = TimeSums(len(spec.sessions))
        rates = [torch.tensor(session.mean_rate, dtype=torch.float64) for session in spec.sessions]
        self.null_log_rates = [rate.clamp(min=NULL_RATE_FLOOR).log() for rate in rates]

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None:
        check_predictions(predictions, batch, "spikes")
        for prediction, target in zip(predictions, batch.targets, strict=True):
            nll = entry_nll(prediction, target, "spikes", widest(prediction))
            counts = wide(select(target.values, target.valid))
            null = self.null_log_rates[target.session].to(counts.device).expand_as(counts)
            null_nll = select(poisson_nll(null, counts), target.valid.to(counts.device))
            gain = null_nll - wide(nll)
            self.sums.add(target.session, over_bins(gain, counts))
            self.times.add(target, gain, counts)

    def merge(self, other: "SpikeScorer") -> None:
        self.sums.merge(other.sums)
        self.times.merge(other.times)

    def units(self) -> EntryTable:
        sessions = []
        for index, session in enumerate(self.spec.sessions):
            gain, spikes = self.sums.of(index)
            excluded = spikes < self.min_spikes
            blocks = self.times.deviations(index, gain, spikes, excluded) / math.log(2)
            sessions.append(SessionEntries(session.name, np.arange(session.units), gain, spikes, excluded, blocks))
        return EntryTable("bits_per_spike", math.log(2), tuple(sessions))

    def score(self, scored_hash: str, attainable: Attainable | None = None, floor: Attainable | None = None) -> Score:
        return summarise(self.units(), scored_hash, attainable, floor)
