"""What can be said of a model where one stimulus was shown several times: formulas with their references.

y[k, t]: spikes of showing k = 1..r in bin t = 1..T; m[t]: their mean over showings; p[t]: the model's rate (its mean
over showings, where behaviour makes them differ); Var over t, P(x) = Var_t(x), with T - 1.

    noise variance        N = mean_t Var_k( y[k, t] ), with r - 1
    explainable variance  E = ( V - N ) / V,   V the variance of all y                      Cadena et al. 2019
    FEV                   1 - ( mean (y - p)^2 - N ) / ( V - N )                            Cadena et al. 2019
    signal power          S = ( r P(m) - mean_k P(y[k]) ) / ( r - 1 )                       Sahani & Linden 2003
    CC_norm               cov(m, p) / sqrt( P(p) S )                                        Schoppe et al. 2016
    CC to the average     cov(m, p) / sqrt( P(p) P(m) ),  to single showings: with V in place of P(m)
    ceiling, bits/spike   the score of q[k, t] = ( sum_{j != k} y[j, t] + a mean_t m ) / ( r - 1 + a )

The ceiling's rate is the average of the other showings, drawn towards the unit's mean as if that had been seen `a` more
times; `a` is the best of `PRIORS` on the showings left out. It is no upper bound: of few showings the average is
noisy and the ceiling too low, and a model that knows the animal's state may pass it, for the state changes between
showings. Intervals: T is cut into `BLOCKS` blocks, which are drawn again `DRAWS` times (Künsch 1989); the showings
stay.

Sahani & Linden 2003, How linear are auditory cortical responses?, NIPS 15. Schoppe et al. 2016, Measuring the
performance of neural models, Front. Comput. Neurosci. 10:10. Cadena et al. 2019, Deep convolutional models improve
predictions of macaque V1 responses to natural images, PLOS Comput. Biol. 15(4).
"""

import math
from collections.abc import Mapping
from functools import cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ablate.contract import NULL_RATE_FLOOR
from ablate.result.measure.repeats import Measure, RepeatValues

BLOCKS = 20
LEAST_BLOCKS = 5
DRAWS = 1000
LEVEL = 0.95
PRIORS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
TINY_RATE = 1e-9  # expected spikes a bin: exp(-20), the least that a model may predict

Names = Mapping[str, Float[ndarray, "..."]]
NAMES = tuple(RepeatValues.model_fields)


def repeat_draws(
    counts: Float[ndarray, "r t"], rates: Float[ndarray, "rows t"] | None, null_rate: float
) -> dict[str, Float[ndarray, " draws"]]:
    """Each figure of one unit: first as it is, then over `DRAWS` draws of blocks of time (none where they are too few).
    NaN where it is not defined.

    rates: expected spikes a bin, a row a showing or one for all. null_rate: the unit's mean rate in train.
    """
    sums = _block_sums(counts, rates, max(null_rate, NULL_RATE_FLOOR))
    weights = block_weights(counts.shape[1])
    drawn = {name: np.tensordot(weights, value, axes=1) for name, value in sums.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        return _figures(drawn, len(counts))


def block_weights(bins: int) -> Float[ndarray, "draws blocks"]:
    """How often each block of time is drawn; the first row draws each once. The same for all units of a session."""
    return _weights(min(BLOCKS, bins))


@cache
def _weights(blocks: int) -> ndarray:
    once = np.ones((1, blocks))
    if blocks < LEAST_BLOCKS:
        return once
    drawn = np.random.default_rng(0).multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)
    return np.concatenate([once, drawn])


def measure(draws: Float[ndarray, " draws"]) -> Measure | None:
    """The value with its percentile interval; None where it is not defined."""
    value, rest = float(draws[0]), draws[1:][np.isfinite(draws[1:])]
    if not math.isfinite(value):
        return None
    if len(rest) < DRAWS / 2:
        return Measure(value=_short(value))
    low, high = np.quantile(rest, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Measure(value=_short(value), low=_short(low), high=_short(high))


def _short(value: float) -> float:
    """Eight digits: a study keeps many of them."""
    return float(f"{value:.8g}")


def values_of(draws: Names) -> RepeatValues:
    return RepeatValues(**{name: measure(draws[name]) for name in NAMES})


def left_out_rates(counts: Float[ndarray, "r t"]) -> Float[ndarray, "r t"]:
    """Rate of each showing from the others: q of the module's docstring, with the best `a`."""
    others, showings = counts.sum(0) - counts, len(counts)
    mean = others.mean(1, keepdims=True) / (showings - 1)
    tried = [np.maximum((others + a * mean) / (showings - 1 + a), TINY_RATE) for a in PRIORS]
    return max(tried, key=lambda rates: float((counts * np.log(rates) - rates).sum()))


def _block_sums(
    counts: Float[ndarray, "r t"], rates: Float[ndarray, "rows t"] | None, null_rate: float
) -> dict[str, Float[ndarray, "blocks *r"]]:
    """Sums over the bins of each block, of all that the figures need."""
    mean = counts.mean(0)
    null = counts * np.log(null_rate) - null_rate
    left_out = left_out_rates(counts)
    of_bins = {
        "bins": np.ones(len(mean)),
        "mean": mean,
        "mean2": mean**2,
        "noise": counts.var(0, ddof=1),
        "all2": (counts**2).sum(0),
        "spikes": counts.sum(0),
        "ceiling": (counts * np.log(left_out) - left_out - null).sum(0),
        "own": counts.T,
        "own2": counts.T**2,
    }
    if rates is not None:
        each = np.maximum(np.broadcast_to(rates, counts.shape), TINY_RATE)
        rate = each.mean(0)
        of_bins |= {
            "rate": rate,
            "rate2": rate**2,
            "product": mean * rate,
            "error": ((counts - rate) ** 2).sum(0),
            "gain": (counts * np.log(each) - each - null).sum(0),
        }
    blocks = min(BLOCKS, len(mean))
    edges = np.linspace(0, len(mean), blocks + 1).round().astype(int)[:-1]
    return {name: np.add.reduceat(value, edges, axis=0) for name, value in of_bins.items()}


def _figures(sums: Names, showings: int) -> dict[str, Float[ndarray, " draws"]]:
    """The figures from the sums of each draw."""
    bins = sums["bins"]
    entries = bins * showings

    def power(total: ndarray, squares: ndarray, count: ndarray) -> ndarray:
        return np.asarray((squares - total**2 / count) / (count - 1))

    variance = power(sums["spikes"], sums["all2"], entries)
    noise = sums["noise"] / bins
    explainable = np.where(variance > 0, variance - noise, np.nan)
    found = {
        "explainable": explainable / variance,
        "ceiling": sums["ceiling"] / (math.log(2) * sums["spikes"]),
    }
    if "rate" not in sums:
        return {name: found.get(name, np.full(len(bins), np.nan)) for name in NAMES}
    of_mean, of_rate = (power(sums[name], sums[f"{name}2"], bins) for name in ("mean", "rate"))
    own = power(sums["own"], sums["own2"], bins[:, None]).mean(-1)
    signal = (showings * of_mean - own) / (showings - 1)
    covariance = (sums["product"] - sums["mean"] * sums["rate"] / bins) / (bins - 1)
    error = sums["error"] / entries
    positive = np.where(explainable > 0, explainable, np.nan)
    found |= {
        "fev": 1 - (error - noise) / positive,
        "cc_norm": covariance / np.sqrt(of_rate * np.where(signal > 0, signal, np.nan)),
        "cc_average": covariance / np.sqrt(of_rate * of_mean),
        "cc_single": covariance / np.sqrt(of_rate * variance),
        "bits": sums["gain"] / (math.log(2) * sums["spikes"]),
    }
    return {name: found[name] for name in NAMES}
