"""Paired gains of all variants, judged over the family of patches, and what the seeds can tell.

One error rate a row: Holm decides, and the interval that expectations are scored with is the one at Holm's level. With
R of m patches rejected, the j-th rejected one was tested at alpha / (m - j + 1) and all others at alpha / (m - R), so
the interval at that level is clear of zero exactly where Holm rejects.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from ablate.analysis.cells import Cells
from ablate.analysis.outcome import Gain, Interval, Look
from ablate.analysis.statistics.family import MAX_T_SEEDS, holm, holm_factors, max_t
from ablate.analysis.statistics.gain import LEVEL, absolute_interval, difference, gains, relative_interval
from ablate.analysis.statistics.moderated import MOST_PRIOR_DEGREES, OWN, Prior, rounding_variance
from ablate.analysis.statistics.negligible import p_negligible
from ablate.analysis.statistics.noise import (
    ALPHA,
    detectable_gains,
    pairing,
    seeds_needed,
    unpaired_spread,
)
from ablate.analysis.stopping.levels import nominal, repeated_p
from ablate.analysis.stopping.power import detectable_by_looks
from ablate.result.manifest import AnalysisRule

JUDGED = ("variant", "control")


def rows_prior(cells: Cells, rule: AnalysisRule, *, most: float = MOST_PRIOR_DEGREES) -> Prior:
    """What the patches and controls say together of one row's variance; nothing where the recipe wants each row's
    own. most: cap on its degrees of freedom."""
    scores = [score for cell in cells.cells for score in cell.scores.values()]
    least = rounding_variance(scores)
    if rule.variance == "own":
        return OWN._replace(least=least)
    nothing = max(least, (4 * np.finfo(float).eps * max(map(abs, scores), default=0.0)) ** 2)
    variances, degrees = [], []
    for cell in cells.cells:
        if cell.comparable and cell.entry.role in JUDGED:
            values = difference(cell.scores, cells.baseline.scores).differences
            if len(values) > 1 and (variance := float(np.var(values, ddof=1))) > nothing:
                variances.append(variance)
                degrees.append(len(values) - 1.0)
    return Prior.of(variances, degrees, most=most)._replace(least=least)


def paired_gains(cells: Cells, prior: Prior, *, relative: bool) -> list[Gain | None]:
    """Paired gain of each cell, with the pairing that was achieved; None for the baseline and for refused cells."""
    base = cells.baseline.scores
    found: list[Gain | None] = []
    for cell in cells.cells:
        known = prior if cell.entry.role in JUDGED else OWN
        item = difference(cell.scores, base, cell.sign)
        gain = gains([item], relative=relative, prior=known)[0] if cell.comparable else None
        if gain is not None:
            correlation, saved = pairing([cell.scores[seed] for seed in gain.seeds], gain.baseline)
            gain = replace(gain, correlation=correlation, variance_ratio=saved)
        found.append(gain)
    return found


def adjusted(
    cells: Cells, found: Sequence[Gain | None], prior: Prior, worth: float
) -> tuple[list[Gain | None], tuple[str, ...]]:
    """Holm, equivalence and max-T over the family (the patches); seeds needed.

    The controls are judged beside them, as so many patches more: of a hundred that do nothing
    five would move at 5 % each.
    """
    tested = {index: gain for index, gain in enumerate(found) if gain is not None and gain.p is not None}
    roles = {index: cells.cells[index].entry.role for index in tested}
    family = [index for index in tested if roles[index] == "variant"]
    result = list(found)
    patches = _judged([tested[index] for index in family], prior, worth)
    for index, gain in zip(family, patches, strict=True):
        result[index] = gain
    controls = [index for index in tested if roles[index] == "control"]
    beside = _judged([tested[index] for index in (*family, *controls)], prior, worth, told=len(family))
    for index, gain in zip(controls, beside, strict=True):
        result[index] = gain
    for index, gain in tested.items():
        if roles[index] == "reference":
            (smallest,) = detectable_gains([gain.spread or 0.0], [len(gain.seeds)], [1.0])
            result[index] = replace(gain, detectable=smallest)
    for index, p in _flipped(found, family).items():
        if (judged := result[index]) is not None:
            result[index] = replace(judged, p_max_t=p)
    return result, tuple(cells.cells[index].entry.name for index in family)


def _judged(members: Sequence[Gain], prior: Prior, worth: float, *, told: int = 0) -> list[Gain]:
    """Each of a family at the level that Holm asks of it, with what its seeds can tell. told: members at the front that
    are counted, and judged elsewhere."""
    if told == len(members):
        return []
    judged = judge_family(members, worth)
    p = np.array([1.0 if gain.p is None else gain.p for gain in members])
    factors = [ALPHA / level_at(gain, ALPHA / factor) for gain, factor in zip(members, holm_factors(p), strict=True)]
    judged, members, factors = judged[told:], members[told:], factors[told:]
    spreads = [max(gain.spread or 0.0, math.sqrt(prior.least)) for gain in members]
    needed = seeds_needed([gain.mean for gain in members], spreads, factors, prior)
    detectable = detectable_gains(spreads, [len(gain.seeds) for gain in members], factors, prior)
    columns = zip(judged, needed, detectable, strict=True)
    return [replace(gain, seeds_needed=seeds, detectable=smallest) for gain, seeds, smallest in columns]


def judge_family(members: Sequence[Gain], worth: float) -> list[Gain]:
    """p values and intervals of each of a family at the level that Holm asks of it.

    Gains of a study that is run until settled come counted (`counted`); each row's p_negligible then counts its looks
    and is not adjusted over the family, which would cost a fifth more runs.
    """
    p = np.array([1.0 if gain.p is None else gain.p for gain in members])
    small = np.array([p_negligible(gain, worth) for gain in members])
    small = np.where(
        [gain.look is not None for gain in members],
        [_repeated(gain, one, sides=1) for gain, one in zip(members, small, strict=True)],
        holm(small),
    )
    columns = zip(members, holm(p).tolist(), holm_factors(p).tolist(), small.tolist(), strict=True)
    return [
        replace(_at_level(gain, ALPHA / factor), p_holm=adjusted_p, p_negligible=equal)
        for gain, adjusted_p, factor, equal in columns
    ]


def counted(gain: Gain, look: Look) -> Gain:
    """A gain as one of several looks at its row: the repeated p value and the repeated 95 % confidence interval."""
    if gain.p is None or gain.error is None or gain.degrees is None:
        return replace(gain, look=look)
    level = nominal(1 - LEVEL, look.number, look.seeds)
    found = replace(
        gain,
        look=look,
        p=float(repeated_p(np.array(gain.p), look.number, look.seeds)),
        interval=absolute_interval(gain.mean, gain.error, gain.degrees, 1 - level),
    )
    ratio = None if gain.relative_interval is None else relative_interval(gain, 1 - level)
    return replace(found, relative_interval=None if ratio is None else Interval(ratio.low, ratio.high))


def level_at(gain: Gain, alpha: float) -> float:
    """What this look's own p is held against for an error `alpha` over all looks."""
    return alpha if gain.look is None else nominal(alpha, gain.look.number, gain.look.seeds)


def _repeated(gain: Gain, p: float, *, sides: int) -> float:
    if gain.look is None:
        return p
    return float(repeated_p(np.array(p), gain.look.number, gain.look.seeds, sides=sides))


def _at_level(gain: Gain, alpha: float) -> Gain:
    """With the intervals at the level of the verdict."""
    assert gain.error is not None
    assert gain.degrees is not None
    level = 1 - level_at(gain, alpha)
    ratio = None if gain.relative_interval is None else relative_interval(gain, level)
    return replace(
        gain,
        judged=absolute_interval(gain.mean, gain.error, gain.degrees, level),
        judged_relative=None if ratio is None else Interval(ratio.low, ratio.high),
    )


def _flipped(found: Sequence[Gain | None], family: Sequence[int]) -> dict[int, float]:
    """max-T over the members that share the most seeds, from eight seeds on; it counts one look only."""
    members = {
        index: gain
        for index in family
        if (gain := found[index]) is not None and len(gain.seeds) >= MAX_T_SEEDS and gain.look is None
    }
    if not members:
        return {}
    seeds = max((gain.seeds for gain in members.values()), key=lambda held: (len(held), held))
    complete = [index for index, gain in members.items() if gain.seeds == seeds]
    table = np.array([members[index].by_seed for index in complete])
    return dict(zip(complete, max_t(table).tolist(), strict=True))


def smallest_gain(
    cells: Cells,
    found: Sequence[Gain | None],
    seeds: int,
    rule: AnalysisRule,
    prior: Prior,
    *,
    looks: tuple[int, ...] | None = None,
) -> tuple[float | None, str]:
    """Smallest gain that the planned seeds find with 80 % power if it is the only real one of the family, by the prior
    that the verdicts are judged with.

    looks: seeds at each look of a study that is run until settled; any of them may find it.
    """
    patches = [
        gain for cell, gain in zip(cells.cells, found, strict=True) if cell.entry.role == "variant" and gain is not None
    ]
    spreads = [gain.spread for gain in patches if gain.spread is not None]
    planned = sum(1 for cell in cells.cells if cell.entry.role == "variant")
    basis = "the median spread of the patches' paired differences"
    spread = median(spreads) if spreads else unpaired_spread(list(cells.baseline.scores.values()))
    if spread is None:
        return None, ""
    if looks is not None:
        base = list(cells.baseline.scores.values())
        worth = rule.worth * max(sum(base) / len(base), 0.0) / spread if base and spread else 0.0
        worth = float(f"{worth:.2g}")  # two digits: the same studies are simulated once
        found_gain: float | None = spread * detectable_by_looks(
            looks, planned, moderated=rule.variance == "moderated", worth=worth
        )
    else:
        found_gain = detectable_gains([spread], [seeds], [max(planned, 1.0)], prior)[0] if seeds > 1 else None
    if found_gain is None:
        return None, ""
    return found_gain, basis if spreads else "the baseline's spread over seeds, as if pairing did nothing"
