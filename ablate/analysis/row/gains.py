"""Paired gains of all variants, their p values adjusted over the family of patches, and what the seeds can tell."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from ablate.analysis.cells import Cells
from ablate.analysis.outcome import Estimate, Gain
from ablate.analysis.statistics.family import MAX_T_SEEDS, holm, holm_factors, max_t
from ablate.analysis.statistics.gain import difference, gains
from ablate.analysis.statistics.noise import (
    detectable_gains,
    pairing,
    seeds_needed,
    smallest_detectable_gain,
    unpaired_spread,
)


def paired_gains(cells: Cells, *, relative: bool) -> list[Gain | None]:
    """Paired gain of each cell, with the pairing that was achieved; None for the baseline and for refused cells."""
    members = [index for index, cell in enumerate(cells.cells) if cell.comparable]
    base = cells.baseline.scores
    found: list[Gain | None] = [None] * len(cells.cells)
    contrasts = [difference(cells.cells[index].scores, base) for index in members]
    for index, gain in zip(members, gains(contrasts, relative=relative), strict=True):
        if gain is not None:
            scores = cells.cells[index].scores
            correlation, saved = pairing([scores[seed] for seed in gain.seeds], [base[seed] for seed in gain.seeds])
            found[index] = replace(gain, correlation=correlation, variance_ratio=saved)
    return found


def adjusted(cells: Cells, found: list[Gain | None]) -> tuple[list[Gain | None], tuple[str, ...]]:
    """Holm and max-T over the family (the patches), controls judged as one patch more; seeds needed, smallest gain."""
    tested = [index for index, gain in enumerate(found) if gain is not None and gain.p is not None]
    family = [index for index in tested if cells.cells[index].entry.role == "variant"]
    p = np.array([_p(found[index]) for index in family])
    levels = dict(zip(family, zip(holm(p).tolist(), holm_factors(p).tolist(), strict=True), strict=True))
    for index in tested:
        if cells.cells[index].entry.role == "control":
            joined = np.append(p, _p(found[index]))
            levels[index] = (float(holm(joined)[-1]), float(holm_factors(joined)[-1]))
    flipped = _flipped(found, family)
    judged = [(gain, levels.get(index, (None, 1.0))[1]) for index in tested if (gain := found[index]) is not None]
    needed, detectable = _needed(judged)
    result = list(found)
    for place, index in enumerate(tested):
        result[index] = replace(
            judged[place][0],
            p_holm=levels.get(index, (None, 1.0))[0],
            p_max_t=flipped.get(index),
            seeds_needed=needed[place] if index in levels else None,
            detectable=detectable[place],
        )
    return result, tuple(cells.cells[index].entry.name for index in family)


def _p(gain: Gain | None) -> float:
    return 1.0 if gain is None or gain.p is None else gain.p


def _needed(judged: Sequence[tuple[Gain, float]]) -> tuple[list[int | None], list[float]]:
    """Seeds needed and smallest detectable gain of each, at the level that Holm asks of its place."""
    factors = [factor for _, factor in judged]
    spreads = [gain.spread or 0.0 for gain, _ in judged]
    needed = seeds_needed([gain.mean for gain, _ in judged], spreads, factors)
    return needed, detectable_gains(spreads, [len(gain.seeds) for gain, _ in judged], factors)


def _flipped(found: Sequence[Gain | None], family: Sequence[int]) -> dict[int, float]:
    """max-T over the members that share the most seeds, from eight seeds on."""
    members = {index: gain for index in family if (gain := found[index]) is not None and len(gain.seeds) >= MAX_T_SEEDS}
    if not members:
        return {}
    seeds = max((gain.seeds for gain in members.values()), key=lambda held: (len(held), held))
    complete = [index for index, gain in members.items() if gain.seeds == seeds]
    table = np.array([members[index].by_seed for index in complete])
    return dict(zip(complete, max_t(table).tolist(), strict=True))


def smallest_gain(
    cells: Cells, found: Sequence[Gain | None], base: Estimate | None, seeds: int, family: int
) -> tuple[float | None, str]:
    """Smallest gain that the planned seeds find with 80 % power if it is the only real one of the family."""
    spreads = [
        gain.spread
        for cell, gain in zip(cells.cells, found, strict=True)
        if cell.entry.role == "variant" and gain is not None and gain.spread is not None
    ]
    basis = "the median spread of the patches' paired differences"
    spread = median(spreads) if spreads else None
    if spread is None:
        spread = unpaired_spread(list(cells.baseline.scores.values()))
        basis = "the baseline's spread over seeds, as if pairing did nothing"
    planned = family or sum(1 for cell in cells.cells if cell.entry.role == "variant")
    if spread is None or base is None:
        return None, ""
    found_gain = smallest_detectable_gain(spread, seeds, patches=planned)
    return (None, "") if found_gain is None else (found_gain, basis)
