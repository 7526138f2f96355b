"""Two gains of one patch, each on seeds of its own: do they differ by more than the errors of both allow?

    D = g2 - g1 +- t(0.975, nu) sqrt(V1 + V2)                    nu by Welch (1947) over all shares of V1 + V2
    V = se^2                                                      of an absolute gain
    V = (se^2 - 2 r cov + r^2 var(b)) / b^2                       of r = d / b: both means are random (delta method)

se is the error that the verdict rests on, moderated where it is; a chance correlation of gain and baseline that would
make V smaller is then not believed, as in `fieller.py`. The whole of D's error is meant for one row: rows of one set
share its baseline, so where that was lucky all of them move together, each by what its own interval allows. V1 + V2 is
also what a printed interval lacks to say where another set's mean will lie.
"""

import math
from collections.abc import Sequence

import numpy as np

from ablate.analysis.outcome import Gain, GainChange, Interval
from ablate.analysis.statistics.gain import LEVEL, means_of, t_quantile, two_sided_p

Share = tuple[float, float]
"""A part of a variance, and its degrees of freedom."""


def gain_change(first: Gain | None, second: Gain | None) -> GainChange | None:
    """None where a gain is missing; without an interval where a set has one seed. Relative where both gains are."""
    if first is None or second is None:
        return None
    relative = first.relative is not None and second.relative is not None
    mean = _size(second, relative) - _size(first, relative)
    shares = [*_shares(first, relative), *_shares(second, relative)]
    if first.error is None or second.error is None:
        return GainChange(mean, None, relative)
    return _welch(mean, shares, relative)


def mean_change(first: Sequence[float], second: Sequence[float]) -> GainChange | None:
    """Of a baseline's mean score, as a share of the first; None without two seeds in each or above zero."""
    one, two = np.array(first, dtype=float), np.array(second, dtype=float)
    if len(one) < 2 or len(two) < 2 or one.mean() <= 0:
        return None
    scale = one.mean()
    shares = [(float(held.var(ddof=1)) / len(held) / scale**2, len(held) - 1.0) for held in (one, two)]
    return _welch(float((two.mean() - scale) / scale), shares, relative=True)


def _welch(mean: float, shares: Sequence[Share], relative: bool) -> GainChange:
    total = sum(variance for variance, _ in shares)
    if total <= 0:
        return GainChange(mean, Interval(mean, mean), relative, 1.0 if mean == 0 else 0.0)
    freedom = total**2 / sum(variance**2 / degrees for variance, degrees in shares)
    error = math.sqrt(total)
    half = t_quantile(freedom, LEVEL) * error
    p = float(two_sided_p(np.array(mean), np.array(error), freedom))
    return GainChange(mean, Interval(mean - half, mean + half), relative, p)


def _size(gain: Gain, relative: bool) -> float:
    if not relative:
        return gain.mean
    assert gain.relative is not None
    return gain.relative


def _shares(gain: Gain, relative: bool) -> list[Share]:
    """What a gain's variance is made of: its own, and the baseline's where that is the denominator."""
    if gain.error is None or gain.degrees is None:
        return []
    if not relative:
        return [(gain.error**2, gain.degrees)]
    r, n = _size(gain, relative), len(gain.seeds)
    means = means_of(np.array(gain.by_seed), np.array(gain.baseline))
    covariance = -2 * r * means.correlation * gain.error * math.sqrt(means.vb)
    if gain.degrees != n - 1:  # moderated
        covariance = max(covariance, 0.0)
    own = max(gain.error**2 + covariance, 0.0)
    return [(own / means.b**2, gain.degrees), (r * r * means.vb / means.b**2, n - 1.0)]
