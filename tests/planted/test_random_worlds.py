"""Thirty random worlds are trained and judged; what their patches do is known from fifteen seeds that were kept."""

import csv

import numpy as np
import pytest
import torch
from random_worlds import BASELINE, NULLS, PAIRS, RECIPE, WORLDS, patches_of, request_of, train

from ablate.analysis.study import analyse
from ablate.result import Store

SCORES = RECIPE.parents[1] / "results" / "benchmarks" / "verdicts" / "worlds.csv"
CLEAR = 4.0
"""Standard errors of a mean over all kept seeds."""


def kept() -> dict[int, dict[str, np.ndarray]]:
    """Scores by world and variant."""
    found: dict[int, dict[str, np.ndarray]] = {}
    with SCORES.open(encoding="utf-8", newline="") as file:
        for number, name, *scores in list(csv.reader(file))[1:]:
            found.setdefault(int(number), {})[name] = np.array(scores, dtype=float)
    return found


def test_every_world_is_kept_and_its_plants_are_what_they_were_planted_for():
    worlds = kept()
    assert sorted(worlds) == list(range(WORLDS))
    for number, table in worlds.items():
        assert set(table) == {BASELINE, "reseed", *patches_of(number)}
        gains = {name: scores.mean() - table[BASELINE].mean() for name, scores in table.items()}
        error = {name: (scores - table[BASELINE]).std(ddof=1) / np.sqrt(len(scores)) for name, scores in table.items()}
        assert gains["one_pixel"] < -CLEAR * error["one_pixel"]
        for name in NULLS:  # another draw of the same
            assert abs(gains[name]) < CLEAR * error[name]
        first, second, both = PAIRS[number % 2]
        interplay = gains[both] - gains[first] - gains[second]
        assert (interplay < 0) if number % 2 == 0 else (interplay > 0)


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """The first world at one seed, trained now."""
    threads = torch.get_num_threads()
    found = train(0, tmp_path_factory.mktemp("world"), 1)
    torch.set_num_threads(threads)
    return found


def test_a_world_trained_again_gives_the_kept_scores(scores):
    for name, held in kept()[0].items():
        assert list(scores[name].values()) == pytest.approx(held[:1], rel=0.02, abs=2e-3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thirty_worlds_are_judged_as_their_truth_says(tmp_path):
    """Three seeds each: nothing that does nothing is said to help in more than one study of ten."""
    worlds, false, right = kept(), 0, []
    for number in range(WORLDS):
        train(number, tmp_path, 3)
        store = Store(request_of(number, tmp_path, 3).out / "planted_truth")
        study = analyse(store.manifest(), store.scan().records.values())
        words = {row.name: row.verdict for row in study.rows}
        false += any(words[name] in ("helps", "hurts") for name in NULLS)
        for name in patches_of(number):
            gain = worlds[number][name] - worlds[number][BASELINE]
            t = gain.mean() / (gain.std(ddof=1) / np.sqrt(len(gain)))
            if name not in NULLS and abs(t) > CLEAR:
                assert words[name] != ("hurts" if t > 0 else "helps"), (number, name)
                right.append(words[name] == ("helps" if t > 0 else "hurts"))
    assert false <= 3
    assert np.mean(right) > 0.6
