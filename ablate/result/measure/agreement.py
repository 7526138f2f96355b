"""How numbers and what was predicted of them agree: correlation, concordance, error, from moments that can be joined.

    correlation  r   = c / (s_y s_p)
    concordance  CCC = 2 c / ( s_y^2 + s_p^2 + (m_y - m_p)^2 )        Lin 1989, Biometrics 45, equation 2
    error        RMSE = sqrt( s_y^2 + s_p^2 - 2 c + (m_y - m_p)^2 )

m, s^2 and c: means, variances and covariance over all labels (divided by n, as Lin does). CCC is r times what is lost
to another mean or scale; a constant prediction has r = CCC = 0. Moments of parts are joined as in Chan, Golub &
LeVeque 1983, so that the folds of a cross-validation give what all of their labels at once would give.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from ablate.config import Config

LEAST = 1e-12  # of the mean square: a variance below is rounding


class Moments(Config):
    """Of pairs (number, prediction), in the number's own unit. The deviations are sums of squares and of products."""

    count: int
    mean: float
    mean_predicted: float
    square: float
    square_predicted: float
    product: float

    @property
    def constant(self) -> bool:
        """No two numbers differ: nothing can correlate."""
        return self.square <= LEAST * self.count * self.mean**2 or self.square == 0


def moments_of(numbers: Iterable[float], predicted: Iterable[float]) -> Moments:
    """Of two sequences of one length. Plain arithmetic: records are read without numpy."""
    y, p = [float(value) for value in numbers], [float(value) for value in predicted]
    if not y:
        return Moments(count=0, mean=0.0, mean_predicted=0.0, square=0.0, square_predicted=0.0, product=0.0)
    mean, mean_predicted = fmean(y), fmean(p)
    dy, dp = [value - mean for value in y], [value - mean_predicted for value in p]
    return Moments(
        count=len(y),
        mean=mean,
        mean_predicted=mean_predicted,
        square=math.fsum(d * d for d in dy),
        square_predicted=math.fsum(d * d for d in dp),
        product=math.fsum(a * b for a, b in zip(dy, dp, strict=True)),
    )


def joined(parts: Sequence[Moments]) -> Moments:
    """Of all pairs together."""
    count = sum(part.count for part in parts)
    total = max(count, 1)
    mean = math.fsum(part.count * part.mean for part in parts) / total
    predicted = math.fsum(part.count * part.mean_predicted for part in parts) / total
    away = [(part.count, part.mean - mean, part.mean_predicted - predicted) for part in parts]
    return Moments(
        count=count,
        mean=mean,
        mean_predicted=predicted,
        square=math.fsum((*(part.square for part in parts), *(n * d * d for n, d, _ in away))),
        square_predicted=math.fsum((*(part.square_predicted for part in parts), *(n * e * e for n, _, e in away))),
        product=math.fsum((*(part.product for part in parts), *(n * d * e for n, d, e in away))),
    )


def correlation(of: Moments) -> float | None:
    """Pearson's; 0 of a constant prediction, None where the numbers themselves are constant or there are none."""
    if of.constant:
        return None
    if of.square_predicted <= LEAST * of.count * of.mean_predicted**2 or of.square_predicted == 0:
        return 0.0
    return of.product / math.sqrt(of.square * of.square_predicted)


def concordance(of: Moments) -> float | None:
    """Lin's; None where the numbers are constant or there are none."""
    if of.constant:
        return None
    return 2 * of.product / (of.square + of.square_predicted + of.count * (of.mean - of.mean_predicted) ** 2)


def root_mean_square_error(of: Moments) -> float | None:
    """In the unit of the numbers; None of none."""
    if not of.count:
        return None
    spread = max(of.square + of.square_predicted - 2 * of.product, 0.0)
    return math.sqrt(spread / of.count + (of.mean - of.mean_predicted) ** 2)


def mean_known(values: Sequence[float | None]) -> float | None:
    """Mean over what is known; None of nothing."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
