"""Whether a gain is too small to matter: two one-sided tests against +-worth of the baseline's mean (Schuirmann 1987).

    p = max over r in {-w, +w} of P(T_nu > |mean(d) - r mean(b)| / sqrt(V(r)))        where d lies inside +-w of b
    V(r) = var(d) - 2 r cov(d, b) + r^2 var(b)                                         all of the means

p <= alpha exactly where Fieller's 1 - 2 alpha interval lies inside +-w. The variance of d is the moderated one, the
correlation is kept, and one that would help is not believed, as in `fieller.py`; the baseline's share of V(r) is of the
order w^2, so its fewer degrees of freedom do not matter.

Reference: Schuirmann 1987, J. Pharmacokinet. Biopharm. 15(6).
"""

import math

import numpy as np
from scipy.special import stdtr

from ablate.analysis.outcome import Gain
from ablate.analysis.statistics.gain import means_of


def p_negligible(gain: Gain, worth: float) -> float:
    """One p of both tests; 1 where the gain itself lies outside +-worth, or the baseline is not above zero."""
    assert gain.error is not None
    assert gain.degrees is not None
    means = means_of(np.array(gain.by_seed), np.array(gain.baseline))
    if means.b <= 0 or abs(means.a) >= worth * means.b:
        return 1.0
    covariance = means.correlation * gain.error * math.sqrt(means.vb)
    return max(
        _one_sided(means.a - r * means.b, _variance(gain, covariance, means.vb, r), gain.degrees)
        for r in (-worth, worth)
    )


def _variance(gain: Gain, covariance: float, baseline: float, r: float) -> float:
    assert gain.error is not None
    return gain.error**2 - 2 * min(r * covariance, 0.0) + r * r * baseline


def _one_sided(distance: float, variance: float, degrees: float) -> float:
    if variance <= 0:
        return 0.0
    return float(stdtr(degrees, -abs(distance) / math.sqrt(variance)))
