"""The share of the gap to a reference that a variant closes, with Fieller's interval.

    share = mean(variant - baseline) / mean(reference - baseline)       both paired by seed

The interval holds every share r for which mean(gain - r gap) is within t(0.975, n - 1) standard errors of zero
(`fieller.py`). It is bounded only when the gap itself is clear of zero; otherwise the share is left blank.
"""

from collections.abc import Mapping

import numpy as np

from ablate.analysis.outcome import GapClosed, Interval
from ablate.analysis.statistics.fieller import fieller
from ablate.analysis.statistics.gain import means_of, t_quantile


def gap_closed(
    variant: Mapping[int, float], baseline: Mapping[int, float], reference: Mapping[int, float]
) -> GapClosed:
    """Over the seeds that all three finished; blank, with the reason, where it would mean nothing."""
    seeds = sorted(set(variant) & set(baseline) & set(reference))
    if not seeds:
        return GapClosed(blank="no shared seed")
    if len(seeds) == 1:
        return GapClosed(blank="1 seed: the gap cannot be told from zero")
    gain = np.array([variant[seed] - baseline[seed] for seed in seeds])
    gap = np.array([reference[seed] - baseline[seed] for seed in seeds])
    if gap.mean() <= 0:
        return GapClosed(blank="the reference is not above the baseline")
    ratio = fieller(means_of(gain, gap), t_quantile(len(seeds) - 1))
    if ratio is None:
        return GapClosed(blank="the gap is not clear of zero")
    return GapClosed(ratio.value, Interval(ratio.low, ratio.high))
