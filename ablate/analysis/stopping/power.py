"""The smallest gain that a study run until settled finds with 80 % power, at whichever look."""

from functools import lru_cache

import numpy as np
from scipy.special import stdtrit

from ablate.analysis.statistics.moderated import MOST_PRIOR_DEGREES, moderate
from ablate.analysis.statistics.noise import ALPHA, FAMILIES, MOST_ROWS, POWER
from ablate.analysis.stopping.levels import nominal


@lru_cache(maxsize=32)
def detectable_by_looks(looks: tuple[int, ...], patches: int, *, moderated: bool = True) -> float:
    """In standard deviations of a paired gain, when it is the only real one among so many patches that scatter alike.

    Studies are simulated, for no formula gives what the rows tell of one another's noise: whether a gain of one row is
    found by the last look depends on the largest shortfall of its mean below the bound, and that is the gain needed.
    """
    rows, most = max(1, min(patches, MOST_ROWS)), MOST_PRIOR_DEGREES if moderated else 0.0
    generator = np.random.default_rng(0)
    own = generator.standard_normal((FAMILIES, rows, looks[-1]))
    noise = (own - generator.standard_normal((FAMILIES, 1, looks[-1]))) / np.sqrt(2)
    needed = np.full(FAMILIES, np.inf)
    for number, seeds in enumerate(looks):
        seen = noise[..., :seeds]
        found = moderate(seen.var(axis=-1, ddof=1), seeds - 1.0, most=most)
        level = nominal(ALPHA / max(patches, 1), number, looks)
        bound = stdtrit(found.degrees[:, 0], 1 - level / 2) * np.sqrt(found.variance[:, 0] / seeds)
        needed = np.minimum(needed, bound - seen[:, 0].mean(axis=-1))
    return float(np.quantile(needed, POWER))
