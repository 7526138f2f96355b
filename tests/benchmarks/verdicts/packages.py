"""Rules of other packages, called themselves: words a row as in `others.py`, and the runs bought. Extra `[bench]`.

They take 0.05 to several seconds a study, so they see fewer studies. Rows with a diverged seed are left out.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import numpy as np
from others import probability_of_improvement
from worlds import Planted

BASELINE = "baseline"


def autorank_words(planted: Planted) -> np.ndarray:
    """autorank (Herbold 2020): omnibus test at .05, then Tukey's intervals apart or Nemenyi's critical distance.

    It refuses fewer than five seeds.
    """
    import matplotlib
    import pandas
    from autorank import autorank

    matplotlib.use("agg")
    words = np.zeros(planted.truth.shape, int)
    for study, scores in enumerate(planted.scores):
        rows = np.flatnonzero(np.isfinite(scores).all(axis=-1))
        frame = pandas.DataFrame({BASELINE: planted.base[study], **{f"p{row}": scores[row] for row in rows}})
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # it prints its table
            warnings.simplefilter("ignore")
            found = autorank(frame, alpha=0.05)
        if found.pvalue >= 0.05:
            continue
        table = found.rankdf
        for row in rows:
            here, base = table.loc[f"p{row}"], table.loc[BASELINE]
            if found.cd is not None:  # its ranks: the largest score is first
                ahead = base.meanrank - here.meanrank
                words[study, row] = np.sign(ahead) * (abs(ahead) > found.cd)
            else:
                words[study, row] = int(here.ci_lower > base.ci_upper) - int(here.ci_upper < base.ci_lower)
    return words


def adastop_words(planted: Planted, *, n: int, looks: int, permutations: int) -> tuple[np.ndarray, np.ndarray]:
    """AdaStop (Mathieu et al. 2023): every row against the baseline at level .05, n seeds a look, at most K looks."""
    from adastop import MultipleAgentsComparator

    words, runs = np.zeros(planted.truth.shape, int), np.zeros(len(planted.truth), int)
    for study, scores in enumerate(planted.scores):
        rows = np.flatnonzero(np.isfinite(scores).all(axis=-1))
        pairs = np.array([(0, place + 1) for place in range(len(rows))])
        comparator = MultipleAgentsComparator(n, looks, permutations, comparisons=pairs, alpha=0.05, seed=study)
        table = {BASELINE: planted.base[study], **{f"p{row}": scores[row] for row in rows}}
        bought = dict.fromkeys(table, 0)
        for look in range(1, looks + 1):
            going = {list(table)[place] for place in np.ravel(comparator.current_comparisons)}
            bought.update(dict.fromkeys(going, n * look))
            comparator.partial_compare({name: values[: bought[name]] for name, values in table.items()}, verbose=False)
            if comparator.is_finished:
                break
        for place, row in enumerate(rows):
            words[study, row] = {"smaller": 1, "larger": -1}.get(comparator.decisions[str(pairs[place])], 0)
        runs[study] = sum(bought.values()) + n * (len(scores) - len(rows))
    return words, runs


def rliable_agrees(planted: Planted, *, repetitions: int = 1000) -> float:
    """Share of rows of which rliable itself says what `others.probability_of_improvement` says."""
    from rliable import metrics
    from rliable.library import get_interval_estimates

    mine, same = probability_of_improvement(planted), []
    with fixed_numpy_seed():
        for study, scores in enumerate(planted.scores):
            pairs = {str(row): (values[:, None], planted.base[study][:, None]) for row, values in enumerate(scores)}
            _, intervals = get_interval_estimates(
                pairs, lambda x, y: np.array([metrics.probability_of_improvement(x, y)]), reps=repetitions
            )
            for row in range(len(scores)):
                low, high = intervals[str(row)][:, 0]
                same.append((int(low > 0.5) - int(high < 0.5)) == mine[study, row])
    return float(np.mean(same))


@contextmanager
def fixed_numpy_seed() -> Iterator[None]:
    """rliable draws from numpy's global generator."""
    state = np.random.get_state()
    np.random.seed(0)
    try:
        yield
    finally:
        np.random.set_state(state)
