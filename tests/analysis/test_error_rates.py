"""Error rates of whole analyses: every word of a row at once, through `analyse`."""

import numpy as np
import pytest
from planted import BASELINE, Planted

from ablate.analysis.study import analyse

GAINS = (0.0, 0.0, 0.0, 0.0, 0.04, 0.08)
SPREAD = 0.014
"""Standard deviation of a paired gain, relative to the baseline; `worth` is 0.03."""


def studies(seeds: int, count: int):
    """Analyses of planted studies of six patches that share a baseline; scores by their true relative gain."""
    generator = np.random.default_rng(seeds)
    for _ in range(count):
        noise = generator.normal(0, SPREAD / np.sqrt(2), (len(GAINS) + 1, seeds))
        scores = {BASELINE: dict(enumerate(1 + noise[0]))}
        scores |= {f"p{i}": dict(enumerate(1 + gain + noise[i + 1])) for i, gain in enumerate(GAINS)}
        planted = Planted(scores, seeds=range(seeds), attainable=2.0)
        yield analyse(planted.manifest(), planted.records())


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_false_words_of_any_kind_are_rare_and_the_judged_intervals_hold(seeds):
    helps = negligible = missed = accused = 0
    count = 400
    for analysis in studies(seeds, count):
        rows = [(gain, analysis.row(f"p{i}")) for i, gain in enumerate(GAINS)]
        helps += any(row.verdict in ("helps", "hurts") for gain, row in rows if gain == 0)
        negligible += any(row.verdict == "negligible" for gain, row in rows if gain >= 0.03)
        missed += sum(not row.gain.judged_relative.low <= gain <= row.gain.judged_relative.high for gain, row in rows)
        accused += any(guard.kind == "spread" for guard in analysis.guards)
    assert helps / count <= 0.05
    assert negligible / count <= 0.05
    assert missed / count / len(GAINS) <= 0.05
    assert accused / count <= 0.15


@pytest.mark.parametrize("seeds", [3])
def test_no_row_says_two_things_at_once(seeds):
    for analysis in studies(seeds, 40):
        for row in analysis.rows:
            gain = row.gain
            if gain is None or row.role != "variant":
                continue
            assert gain.judged.clear_of(0.0) == (gain.p_holm <= 0.05)
            assert gain.judged_relative.clear_of(0.0) == gain.judged.clear_of(0.0)
            assert row.verdict != "no evidence" or not gain.judged.clear_of(0.0)
