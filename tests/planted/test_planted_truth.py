"""The shipped self-test `recipes/planted_truth.yaml`: trained for real, analysed, and every planted truth found."""

import os
from pathlib import Path

import pytest
import torch

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.study import analyse
from ablate.report import render
from ablate.request import Request
from ablate.study.flow import run_study
from ablate.study.running.end import StudyEnd

RECIPE = Path(__file__).parents[2] / "recipes" / "planted_truth.yaml"

VERDICTS = {
    "behavior": "helps",
    "one_pixel": "hurts",
    "redraw": "no evidence",
    "reseed": "no evidence",
    "unread": "negligible",
    "window": "no evidence",
    "faster": "helps",
    "longer": "helps",
    "faster+longer": "helps",
    "window+filter": "helps",
    "behavior+redraw": "helps",
}


def shared_folder(own: Path) -> Path:
    """One folder for all workers of a test session, so that they train the study together instead of once each."""
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> StudyEnd:
    threads = torch.get_num_threads()
    out = shared_folder(tmp_path_factory.getbasetemp()) / "planted_truth"
    ended = run_study(Request(recipe=RECIPE, out=out, device="cpu", inline=True, threads=1))
    torch.set_num_threads(threads)
    return ended


@pytest.fixture(scope="module")
def study(outcome: StudyEnd) -> StudyAnalysis:
    store = outcome.study.store
    return analyse(store.manifest(), store.scan().records.values(), units=store.units, history=store.history)


def test_every_run_ends_well(outcome, study):
    assert set(outcome.states.values()) == {"done"}
    assert not outcome.failures
    assert study.runs_done == study.runs_planned == len(study.rows) * len(study.seeds)


@pytest.mark.parametrize("name", VERDICTS)
def test_each_planted_patch_gets_the_verdict_that_it_deserves(name, study):
    assert study.row(name).verdict == VERDICTS[name]


def test_neither_of_two_that_only_work_together_helps_alone(study):
    assert all(study.row(name).verdict != "helps" for name in ("window", "filter"))
    assert study.row("window+filter").gain.relative > 10 * study.row("window").gain.relative


def test_the_interaction_report_names_the_pairs_and_no_other(study):
    found = {(pair.first, pair.second): pair.interplay for pair in study.attribution.pairs}
    assert found == {
        ("faster", "longer"): "redundant",
        ("window", "filter"): "synergistic",
        ("behavior", "redraw"): "no evidence",
    }


def test_a_redundant_patch_is_worth_less_when_added_last_and_a_synergistic_one_more(study):
    change = {found.patch: found.change.interval for found in study.attribution.alone_or_last}
    assert all(change[name].high < 0 for name in ("faster", "longer"))
    assert all(change[name].low > 0 for name in ("window", "filter"))


def test_a_reader_of_the_table_is_told_the_pairs(study):
    told = " ".join(render(study, "table", details=True).split())
    assert "faster and longer are redundant: together less than the sum of both" in told
    assert "window and filter are synergistic: together more than the sum of both" in told
    assert "behavior and redraw" not in told


def test_verdicts_are_holms_over_the_patches_and_not_over_the_controls(study):
    assert set(study.family) == {row.name for row in study.rows if row.role == "variant"}
    p = sorted(study.row(name).gain.p for name in study.family)
    by_hand = [max(min(1.0, (len(p) - i) * p[i]) for i in range(place + 1)) for place in range(len(p))]
    assert sorted(study.row(name).gain.p_holm for name in study.family) == pytest.approx(by_hand)
    for row in study.rows:
        if row.role == "variant":
            assert (row.gain.p_holm <= 0.05) == (row.verdict in ("helps", "hurts"))


def test_every_prediction_of_the_recipe_is_met(study):
    outcomes = {row.name: row.prediction.outcome for row in study.rows if row.prediction}
    assert len(outcomes) == 9
    assert set(outcomes.values()) == {"met"}


def test_seeds_differ_so_that_intervals_mean_something(study):
    assert study.baseline.score.spread > 0
    assert all(row.gain.spread > 0 for row in study.rows if row.gain is not None and row.name != "unread")


def test_the_option_that_changes_nothing_gives_the_baselines_scores_bit_for_bit(study):
    control = study.row("unread")
    assert control.role == "control"
    assert control.by_seed == study.baseline.by_seed
    assert control.gain.by_seed == (0.0,) * len(study.seeds)


def test_what_helps_most_surely_is_named_and_nothing_beats_the_truth(study):
    helping = [row for row in study.rows if row.role == "variant" and row.verdict == "helps"]
    assert study.winner == max(helping, key=lambda row: row.gain.interval.low).name
    assert all(row.score.mean < study.attainable for row in study.rows)


def test_the_verdicts_hold_for_other_units_too(study):
    assert study.row("behavior").gain.over_units.low > 0
    assert study.row("window+filter").gain.over_units.low > 0
    assert study.row("one_pixel").gain.over_units.high < 0


def test_one_pixel_hurts_because_almost_nothing_is_left_to_see(study):
    """A Gabor has no answer to a uniform field: what is left is the luminance's company with contrast."""
    assert study.row("one_pixel").score.mean < 0.1 * study.baseline.score.mean


def test_filter_alone_costs_and_has_no_more_to_read_than_the_baseline(study):
    """Of eight lags the window holds one: its three weights a pixel see what one saw, and learn in smaller steps."""
    row = study.row("filter")
    assert -0.2 < row.gain.relative < 0
    assert row.verdict in ("hurts", "no evidence")
    assert any("FLOPs" in sentence for sentence in row.also_changed)


def test_what_filter_costs_alone_is_gone_once_both_have_learned(study, tmp_path):
    """Else it would not be the size of its steps that costs: five times the steps, at the higher rate, for both."""
    text = RECIPE.read_text(encoding="utf-8")
    text = (
        text[: text.index("variants:\n")]
        + "variants:\n  - [faster, longer, filter]\n  - [faster, longer]\nseeds: [0, 1, 2, 3]\n"
    )
    (tmp_path / "learned.yaml").write_text(text, encoding="utf-8")
    threads = torch.get_num_threads()
    ended = run_study(
        Request(recipe=tmp_path / "learned.yaml", out=tmp_path / "out", device="cpu", inline=True, threads=1)
    )
    torch.set_num_threads(threads)
    store = ended.study.store
    learned = analyse(store.manifest(), store.scan().records.values(), units=store.units, history=store.history)
    with_filter, without = (dict(learned.row(name).by_seed) for name in ("faster+longer+filter", "faster+longer"))
    assert study.row("filter").score.mean < study.baseline.score.mean
    assert all(with_filter[seed] > 0.97 * without[seed] for seed in without)
