"""Predicted rates, spikes and, where known, true rates of the best, the median and the worst unit.

A stretch of consecutive test bins: each bin is predicted from the window that ends at it, as in the test.
"""

from typing import Literal

import numpy as np
import torch
from torch import nn

from ablate.contract import Dataset, EncodingBatch
from ablate.data.encoding.batches import EncodingDataset
from ablate.result.measure.units import unit_tables
from ablate.result.picture import UnitPicture

BINS = 240
"""Two seconds at 120 Hz."""
AT_ONCE = 16
"""Windows of a forward pass."""

Rank = Literal["best", "median", "worst"]


def unit_pictures(model: nn.Module, dataset: Dataset, units: object) -> tuple[UnitPicture, ...]:
    """Empty where the data hold no spikes, or no unit has a score."""
    if not isinstance(dataset, EncodingDataset):
        return ()
    found = []
    for rank, name, unit, score in chosen(units):
        session = next(i for i, spec in enumerate(dataset.spec.sessions) if spec.name == name)
        bins = stretch(dataset, session)
        if len(bins) > 1:
            found.append(_picture(model, dataset, session, bins, rank, unit, score))
    return tuple(found)


def chosen(units: object) -> list[tuple[Rank, str, int, float]]:
    """(rank, session, unit, score) of the three units, by their score over all sessions."""
    scored = sorted(
        (value, table["name"], unit)
        for table in unit_tables(units)
        for unit, value in zip(table["entry"], table["value"], strict=True)
        if value is not None
    )
    if len(scored) < 3:
        return []
    places: tuple[tuple[Rank, int], ...] = (("best", len(scored) - 1), ("median", len(scored) // 2), ("worst", 0))
    return [(rank, scored[place][1], scored[place][2], scored[place][0]) for rank, place in places]


def stretch(dataset: EncodingDataset, session: int) -> np.ndarray:
    """Consecutive frames of the longest unbroken run of test bins."""
    bins = dataset.bins("test")[session]
    bins = bins[bins >= dataset.config.window - 1]
    if len(bins) < 2:
        return bins
    breaks = np.flatnonzero(np.diff(bins) > dataset.config.score_every) + 1
    longest = max(np.split(bins, breaks), key=len)
    return np.arange(longest[0], min(longest[-1] + 1, longest[0] + BINS))


def _picture(
    model: nn.Module, dataset: EncodingDataset, session: int, bins: np.ndarray, rank: Rank, unit: int, score: float
) -> UnitPicture:
    recording = dataset.recordings[session]
    predicted = torch.cat(
        [
            model(EncodingBatch((dataset.windows(session, bins[start : start + AT_ONCE]),), (0,)))[0][:, 0, unit].exp()
            for start in range(0, len(bins), AT_ONCE)
        ]
    )
    return UnitPicture(
        rank=rank,
        session=recording.name,
        unit=unit,
        score=score,
        first_bin=int(bins[0]),
        bin_rate_hz=recording.bin_rate_hz,
        spikes=tuple(np.asarray(recording.spikes[bins, unit], dtype=float).tolist()),
        predicted=tuple(predicted.float().cpu().tolist()),
        true=None if recording.rates is None else tuple(np.asarray(recording.rates[bins, unit], dtype=float).tolist()),
    )
