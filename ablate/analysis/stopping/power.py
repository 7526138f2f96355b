"""The smallest gain that a study run until settled finds with 80 % power, at whichever look."""

from functools import lru_cache

import numpy as np
from scipy.special import stdtrit

from ablate.analysis.statistics.moderated import moderate
from ablate.analysis.statistics.noise import ALPHA, FAMILIES, MOST_ROWS, POWER, paired_noise
from ablate.analysis.stopping.levels import nominal
from ablate.analysis.stopping.reach import LEAST_SEEDS, clear_at_last, most_borrowed, reach, small_at_last


@lru_cache(maxsize=32)
def detectable_by_looks(looks: tuple[int, ...], patches: int, *, moderated: bool = True, worth: float = 0.0) -> float:
    """In standard deviations of a paired gain, when it is the only real one among so many patches that scatter alike.

    Studies are simulated, for no formula gives what the rows tell of one another's noise. The row is found at a look
    where its mean is beyond the bound, if at no look before the last one had seemed out of reach (`reach.py`); both ask
    for a gain of some size in each study, so the gain needed is the least over looks of the larger of the two. The
    other rows do nothing: those that are soon out of reach tell of noise what their few seeds tell. worth: in the same
    standard deviations; a row that may yet be negligible is not out of reach.
    """
    noise = paired_noise(FAMILIES, max(1, min(patches, MOST_ROWS)), looks[-1])
    needed, kept = np.full(FAMILIES, np.inf), np.full(FAMILIES, -np.inf)
    going = np.ones(noise.shape[:2], bool)
    variance, nu = np.ones(noise.shape[:2]), np.zeros(noise.shape[:2])
    for number, seeds in enumerate(looks):
        seen = noise[..., :seeds]
        variance, nu = np.where(going, seen.var(axis=-1, ddof=1), variance), np.where(going, seeds - 1.0, nu)
        found = moderate(variance, nu, most=most_borrowed(seeds) if moderated else 0.0)
        spread, degrees, mean = np.sqrt(found.variance), found.degrees, seen.mean(axis=-1)
        level = nominal(ALPHA / max(patches, 1), number, looks)
        bound = (stdtrit(degrees, 1 - level / 2) * spread / np.sqrt(seeds))[:, 0]
        needed = np.minimum(needed, np.maximum(bound - mean[:, 0], kept))
        if LEAST_SEEDS <= seeds < looks[-1]:
            ahead = reach(spread, seeds, looks[-1])
            far = clear_at_last(spread, degrees, seeds, looks, patches) - ahead
            near = small_at_last(spread, degrees, seeds, looks, worth)
            near = np.where(near > 0, near + ahead, -np.inf)
            kept = np.maximum(kept, np.where(near >= far, -np.inf, far - mean)[:, 0])
            going[:, 1:] &= ((np.abs(mean) >= far) | (np.abs(mean) <= near))[:, 1:]
    return float(np.quantile(needed, POWER))
