"""Who gained what, when patches are combined. y(S) is the score with the set S of patches, at each seed.

    ladder          step k:  y({1..k}) - y({1..k-1})
    alone, last     y({p}) - y({})   against   y(F) - y(F without p)
    interaction     y({p,q}) - y({p}) - y({q}) + y({})          redundant below zero, synergistic above
    Shapley value   sum over S without p of |S|! (k-|S|-1)! / k!  [y(S+p) - y(S)]     exact, all 2^k subsets

The last is due to Shapley (1953). All are sums of scores weighted per seed, so each gets a paired t interval over
seeds; differences of two variants share the rows' prior (moderated variance), sums of more of them do not. Pairs are
judged by Holm over the pairs. What takes a cell that was not run is left out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import factorial

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import AloneOrLast, Attribution, GapClosed, Interplay, Pair, Rung, Share
from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.gain import Contrast, contrast, difference, gain, gains
from ablate.analysis.statistics.gap import gap_closed
from ablate.analysis.statistics.moderated import Prior
from ablate.analysis.statistics.noise import ALPHA

Scores = Mapping[int, float]
Subsets = dict[frozenset[str], Cell]

MOST_PATCHES = 5
"""All subsets of more patches than this are not looked for: 2^k runs a seed."""
SEARCHED = 12
"""Patches among which the largest full factorial is looked for."""


def attribute(
    cells: Sequence[Cell],
    baseline: Cell,
    target: Cell | None,
    ladders: Sequence[Sequence[str]],
    *,
    relative: bool,
    prior: Prior,
) -> Attribution:
    """Everything that the runs of a study allow to be said about combinations."""
    subsets = _subsets(cells, baseline)
    return Attribution(
        ladders=_ladders(cells, baseline, target, ladders, relative, prior),
        alone_or_last=_alone_or_last(subsets, baseline.scores, relative, prior),
        pairs=_pairs(subsets, baseline.scores, relative),
        shapley=shapley(subsets, baseline.scores, relative),
    )


def _subsets(cells: Sequence[Cell], baseline: Cell) -> Subsets:
    """Set of patches -> cell. A set that was run in two orders counts by the first."""
    found: Subsets = {frozenset(): baseline}
    for cell in cells:
        if cell.entry.role == "variant" and cell.entry.patches and cell.scores and not cell.refused:
            found.setdefault(frozenset(cell.entry.patches), cell)
    return found


def _ladders(
    cells: Sequence[Cell],
    baseline: Cell,
    target: Cell | None,
    ladders: Sequence[Sequence[str]],
    relative: bool,
    prior: Prior,
) -> tuple[tuple[Rung, ...], ...]:
    """Each ladder up to its first rung that has no score."""
    by_name = {name: cell for cell in cells for name in (*cell.entry.aliases, cell.entry.name)}
    found = []
    for names in ladders:
        rungs: list[Rung] = []
        before = baseline.scores
        for name in names:
            cell = by_name.get(name)
            if cell is None or cell.refused:
                break
            whole = gain(difference(cell.scores, baseline.scores), relative=relative, prior=prior)
            step = gain(contrast([(1.0, cell.scores), (-1.0, before)], baseline.scores), relative=relative, prior=prior)
            if whole is None or step is None:
                break
            closed = GapClosed() if target is None else gap_closed(cell.scores, baseline.scores, target.scores)
            rungs.append(Rung(cell.entry.name, whole, step, closed))
            before = cell.scores
        if rungs:
            found.append(tuple(rungs))
    return tuple(found)


def _alone_or_last(subsets: Subsets, baseline: Scores, relative: bool, prior: Prior) -> tuple[AloneOrLast, ...]:
    """For each patch run alone: the largest combination that was also run without it."""
    combined: dict[str, list[frozenset[str]]] = defaultdict(list)
    for patches in subsets:
        for patch in patches if len(patches) > 1 else ():
            combined[patch].append(patches)
    found = []
    for patches, cell in subsets.items():
        if len(patches) != 1:
            continue
        (patch,) = patches
        fulls = [full for full in combined[patch] if full - patches in subsets]
        if not fulls:
            continue
        full = max(fulls, key=len)
        whole, without = subsets[full], subsets[full - patches]
        last_terms = [(1.0, whole.scores), (-1.0, without.scores)]
        change_terms = [*last_terms, (-1.0, cell.scores), (1.0, baseline)]
        alone, last = gains(
            [difference(cell.scores, baseline), contrast(last_terms, baseline)], relative=relative, prior=prior
        )
        change = gain(contrast(change_terms, baseline), relative=relative)
        if alone is not None and last is not None and change is not None:
            found.append(AloneOrLast(patch, whole.entry.name, alone, last, change))
    return tuple(found)


def _pairs(subsets: Subsets, baseline: Scores, relative: bool) -> tuple[Pair, ...]:
    """Every pair of patches that was run together and each alone."""
    names: list[tuple[str, str]] = []
    contrasts: list[Contrast] = []
    for patches, cell in subsets.items():
        if len(patches) != 2:
            continue
        first, second = cell.entry.patches[:2]
        alone = [subsets.get(frozenset({name})) for name in (first, second)]
        if alone[0] is None or alone[1] is None:
            continue
        names.append((first, second))
        terms = [(1.0, cell.scores), (-1.0, alone[0].scores), (-1.0, alone[1].scores), (1.0, baseline)]
        contrasts.append(contrast(terms, baseline))
    kept = [(name, effect) for name, effect in zip(names, gains(contrasts, relative=relative), strict=True) if effect]
    tested = [index for index, (_, effect) in enumerate(kept) if effect.p is not None]
    adjusted: dict[int, float] = {}
    if tested:
        p = np.array([kept[index][1].p for index in tested], dtype=float)
        adjusted = dict(zip(tested, holm(p).tolist(), strict=True))
    found = []
    for index, ((first, second), effect) in enumerate(kept):
        p_holm = adjusted.get(index)
        interplay: Interplay = "no evidence"
        if p_holm is not None and p_holm <= ALPHA:
            interplay = "redundant" if effect.mean < 0 else "synergistic"
        found.append(Pair(first, second, replace(effect, p_holm=p_holm), interplay))
    return tuple(found)


def full_factorial(subsets: Mapping[frozenset[str], object]) -> tuple[str, ...]:
    """The largest set of two to five patches of which every subset was run; empty if there is none."""
    alone = [next(iter(patches)) for patches in subsets if len(patches) == 1][:SEARCHED]
    for size in range(min(MOST_PATCHES, len(alone)), 1, -1):
        for chosen in combinations(alone, size):
            if all(frozenset(part) in subsets for n in range(1, size + 1) for part in combinations(chosen, n)):
                return chosen
    return ()


def shapley_weights(patches: Sequence[str], patch: str) -> dict[frozenset[str], float]:
    """The weight of y(S) for every subset S in the Shapley value of one patch; the weights sum to zero."""
    k = len(patches)
    others = [name for name in patches if name != patch]
    weights: dict[frozenset[str], float] = {}
    for size in range(k):
        share = factorial(size) * factorial(k - size - 1) / factorial(k)
        for part in combinations(others, size):
            weights[frozenset(part) | {patch}] = share
            weights[frozenset(part)] = -share
    return weights


def shapley(subsets: Subsets, baseline: Scores, relative: bool) -> tuple[Share, ...]:
    """Shapley value of each patch of the largest full factorial; together they sum to the gain of all patches at
    once."""
    patches = full_factorial(subsets)
    found = []
    for patch in patches:
        weights = shapley_weights(patches, patch)
        terms = [(weight, subsets[part].scores) for part, weight in weights.items()]
        effect = gain(contrast(terms, baseline), relative=relative)
        if effect is not None:
            found.append(Share(patch, effect))
    return tuple(found)
