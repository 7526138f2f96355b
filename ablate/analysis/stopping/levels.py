"""What a p value is worth as one of several looks: nominal levels of a group-sequential test, and their inverse.

    spent(t)   = alpha log(1 + (e - 1) t)                       at the fraction t of the seeds (Lan & DeMets 1983)
    c_k        : P(W(t_k) > c_k sqrt(t_k), no W(t_j) > c_j sqrt(t_j) before) = spent(t_k) - spent(t_k-1)
    nominal_k  = 1 - Phi(c_k)                                   what a one-sided p is held against at look k
    repeated p = the alpha at which nominal_k(alpha) = p        (Jennison & Turnbull 1989)

W is the sum of independent normal increments with variance t; its density given that no bound was crossed is carried
from look to look by quadrature (Armitage, McPherson & Rowe 1969). The levels depend on the looks alone: t enters by its
p value, which holds its level in simulation (tests/analysis/stopping). The chance that the repeated p of any look is at
most alpha is at most alpha, whatever stopped the seeds, so repeated p values go into Holm as others do: that is
graphical Holm (Maurer & Bretz 2013; Ye et al. 2013), and what was rejected stays rejected.
"""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import ndtr

LEVELS = np.exp(np.linspace(math.log(1e-14), math.log(0.5), 140))
"""One-sided levels at which the boundaries are worked out; between them log level is linear in log p."""
NODES = 160
FARTHEST = 9.0
"""Standard deviations below zero at which the density is cut."""


def spent(alpha: Float[ndarray, "..."], fraction: float) -> Float[ndarray, "..."]:
    """Error spent by a fraction of the seeds: nearly the same bound at every look, as Pocock's."""
    return alpha * math.log1p((math.e - 1) * fraction)


@lru_cache(maxsize=32)
def nominal_levels(looks: tuple[int, ...]) -> Float[ndarray, "k a"]:
    """One-sided nominal level of each look for each of `LEVELS`. looks: seeds at each look, rising."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    fractions = [look / looks[-1] for look in looks]
    place = np.zeros((len(LEVELS), 1))  # a node: where W is
    mass = np.ones((len(LEVELS), 1))
    before, used, found = 0.0, np.zeros(len(LEVELS)), []
    for fraction in fractions:
        step = math.sqrt(fraction - before)
        target = spent(LEVELS, fraction) - used
        bound = _bound(place, mass, step, target, fraction)
        found.append(ndtr(-bound / math.sqrt(fraction)))
        low = -FARTHEST * math.sqrt(fraction)
        half = (bound - low)[:, None] / 2
        new = low + half * (nodes + 1)
        density = np.exp(-(((new[:, :, None] - place[:, None, :]) / step) ** 2) / 2) / (step * math.sqrt(2 * math.pi))
        mass = (density * mass[:, None, :]).sum(axis=-1) * half * weights
        place, before, used = new, fraction, spent(LEVELS, fraction)
    return np.stack(found)


def _bound(
    place: Float[ndarray, "a n"], mass: Float[ndarray, "a n"], step: float, target: Float[ndarray, " a"], t: float
) -> Float[ndarray, " a"]:
    """Where W must be cut so that the share above it is `target`, by bisection."""
    low, high = np.full(len(target), -FARTHEST * math.sqrt(t)), np.full(len(target), 12 * math.sqrt(t))
    for _ in range(60):
        middle = (low + high) / 2
        above = (ndtr((place - middle[:, None]) / step) * mass).sum(axis=1)
        low, high = np.where(above > target, middle, low), np.where(above > target, high, middle)
    return (low + high) / 2


def nominal(alpha: float, look: int, looks: tuple[int, ...]) -> float:
    """What a two-sided p is held against at a look (0, 1, ...), for the error `alpha` over all looks."""
    return 2 * float(np.exp(np.interp(math.log(alpha / 2), np.log(LEVELS), np.log(nominal_levels(looks)[look]))))


def repeated_p(p: Float[ndarray, "..."], look: int, looks: tuple[int, ...], *, sides: int = 2) -> Float[ndarray, "..."]:
    """The p value that counts all looks, of one that counts only this one."""
    levels = nominal_levels(looks)[look]
    one = np.asarray(p, dtype=float) / sides
    inside = np.clip(one, levels[0], levels[-1])
    found = np.exp(np.interp(np.log(inside), np.log(levels), np.log(LEVELS)))
    found = np.where(one < levels[0], one / levels[0] * LEVELS[0], found)
    return np.where(one > levels[-1], 1.0, np.minimum(sides * found, 1.0))
