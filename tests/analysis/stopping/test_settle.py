"""Rows are settled look by look: which seeds are bought next, and how often the words are wrong."""

import numpy as np
import pytest
from simulated import LOOKS, Plan, false_word, right, scores, simulate

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.row.verdict import judge
from ablate.analysis.stopping.settle import settle
from ablate.result import Schedule
from ablate.result.manifest import AnalysisRule, VariantEntry

SCHEDULE = Schedule(seeds=tuple(range(12)))
UNIT = 1e-5
"""A standard deviation of a paired gain, relative to a baseline of 1: the baseline's own noise then plays no part."""


def tables(plan, seed):
    """One simulated study as tables of scores by seed."""
    _, differences, base = scores(plan, 1, seed)
    baseline = 1 + UNIT * base[0]
    rows = {f"p{i}": dict(enumerate(baseline + UNIT * row)) for i, row in enumerate(differences[0])}
    return dict(enumerate(baseline)), rows


def settle_table(baseline, rows, schedule, rule):
    """The looks gone through over a table of scores by seed."""
    base = _cell("baseline", baseline)
    return settle(Cells(base, (base, *(_cell(name, row) for name, row in rows.items())), (), 0), schedule, rule)


def _cell(name, scores):
    entry = VariantEntry(name=name, role="baseline" if name == "baseline" else "variant")
    return Cell(entry, {}, {}, "", dict(scores))


def run_until_settled(baseline, rows, rule):
    """Buys what is asked for until nothing is; gives the last state and what was bought, in order."""
    bought, have = [], {name: {} for name in ("baseline", *rows)}
    while True:
        state = settle_table(have["baseline"], {name: have[name] for name in rows}, SCHEDULE, rule)
        if not state.buy:
            return state, bought
        for name, seeds in state.buy.items():
            source = baseline if name == "baseline" else rows[name]
            have[name].update({seed: source[seed] for seed in seeds})
        bought.append(dict(state.buy))


def word(standing):
    if standing.gain.p_negligible <= 0.05:
        return 2
    return int(np.sign(standing.gain.mean)) if standing.gain.p_holm <= 0.05 else 0


def test_the_program_and_the_simulation_settle_the_same_rows_at_the_same_looks():
    plan = Plan()
    rule = AnalysisRule(worth=plan.worth * UNIT)
    for seed in range(12):
        state, bought = run_until_settled(*tables(plan, seed), rule)
        expected = simulate(plan, 1, seed)
        assert [standing.look.here for standing in state.rows.values()] == expected.seeds[0].tolist()
        assert [word(standing) for standing in state.rows.values()] == expected.words[0].tolist()
        assert sum(len(seeds) for look in bought for seeds in look.values()) == expected.runs[0]


def test_a_settled_row_gets_no_further_seeds_and_keeps_its_gain():
    plan = Plan()
    baseline, rows = tables(plan, 0)
    rule = AnalysisRule(worth=plan.worth * UNIT)
    whole, bought = run_until_settled(baseline, rows, rule)
    first = next(name for name, standing in whole.rows.items() if standing.look.here == 3)
    assert bought[0] == dict.fromkeys(("baseline", *rows), (0, 1, 2))
    assert all(first not in look for look in bought[1:])
    more = {name: dict(row) for name, row in rows.items()}  # seeds beyond a row's look change nothing
    again = settle_table(baseline, more, SCHEDULE, rule)
    assert {name: row.gain for name, row in again.rows.items()} == {name: row.gain for name, row in whole.rows.items()}


def test_what_was_rejected_stays_rejected_when_later_looks_change_the_others():
    plan = Plan(gains=(0.0, 0.0, 4.0, 4.0))
    for seed in range(20):
        state, _ = run_until_settled(*tables(plan, seed), AnalysisRule(worth=plan.worth * UNIT))
        for standing in state.rows.values():
            assert standing.settled == (word(standing) != 0 or standing.gain.out_of_reach)


def test_a_row_that_twelve_seeds_would_hardly_settle_is_ended_early_and_says_so():
    """Three of ten patches scatter five times as much as what is worth having: they used to be trained to the end."""
    plan = Plan(gains=(0.0,) * 10)
    baseline, rows = tables(plan, 1)
    unlike = {"p0", "p1", "p2"}
    for name in unlike:
        rows[name] = {seed: baseline[seed] + 6 * (value - baseline[seed]) for seed, value in rows[name].items()}
    state, _ = run_until_settled(baseline, rows, AnalysisRule(worth=plan.worth * UNIT))
    ended = {name: row for name, row in state.rows.items() if row.gain.out_of_reach}
    assert len(unlike & ended.keys()) >= 2
    assert all(word(row) == 2 for name, row in state.rows.items() if name not in unlike)
    assert all(row.settled and row.look.here < 12 and word(row) == 0 for row in ended.values())
    cell = Cell(VariantEntry(name="p0", role="variant"), {}, {}, "", rows["p0"])
    name = next(iter(ended))
    verdict, note = judge(cell, ended[name].gain, planned=12, worth=plan.worth * UNIT)
    assert (verdict, note) == ("no evidence", f"ended at {ended[name].look.here} seeds, for 12 would hardly settle it")


def test_a_look_that_is_half_bought_changes_nothing():
    plan = Plan()
    baseline, rows = tables(plan, 2)
    rule = AnalysisRule(worth=plan.worth * UNIT)
    at_three = settle_table(*_first(baseline, rows, 3), SCHEDULE, rule)
    some = {name: dict(list(row.items())[: 4 if name in ("p0", "p1") else 3]) for name, row in rows.items()}
    half = settle_table(_first(baseline, rows, 4)[0], some, SCHEDULE, rule)
    assert half.rows == at_three.rows
    assert set(half.buy) < set(at_three.buy)


def _first(baseline, rows, seeds):
    return (
        {seed: baseline[seed] for seed in range(seeds)},
        {name: {seed: row[seed] for seed in range(seeds)} for name, row in rows.items()},
    )


def test_ten_patches_take_at_most_eighty_runs_and_nearly_all_words_are_right():
    plan = Plan()
    found = simulate(plan, 1000)
    assert found.runs.mean() <= 80
    assert right(plan, found) >= 0.97
    assert false_word(plan, found) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "most"),
    [
        (Plan(), 0.05),
        (Plan(rho=0.0), 0.05),
        (Plan(rho=0.9), 0.05),
        (Plan(gains=(0.0,) * 10), 0.05),
        (Plan(gains=(0.0,) * 10, noise="t3"), 0.05),
        (Plan(gains=(0.0,) * 10, noise="exponential"), 0.05),
        (Plan(gains=(0.0,) * 10, log_sd=0.6), 0.05),
        (Plan(gains=(0.0,) * 10, log_sd=1.0), 0.05),  # unlike spreads: the borrowed variance is not every row's
        (Plan(gains=(0.0,) * 3), 0.05),
    ],
)
def test_false_words_are_rare_and_repeated_intervals_hold_after_stopping(plan, most):
    found = simulate(plan, 6000)
    error = 2 * np.sqrt(most * (1 - most) / 6000)
    assert false_word(plan, found) <= most + error
    assert found.held.mean() >= 0.95
    assert found.held.mean(axis=0).min() >= 0.94
    assert set(np.unique(found.seeds)) <= set(LOOKS)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [1.25, 1.5])
def test_a_gain_worth_having_is_rarely_called_negligible_however_often_it_was_looked_at(gain):
    plan = Plan(gains=(0.0,) * 5 + (gain,) * 5, worth=gain)
    found = simulate(plan, 4000)
    assert (found.words[:, 5:] == 2).mean() <= 0.065
