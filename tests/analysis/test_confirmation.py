"""What fresh seeds say of a study's verdicts, through `analyse`, on planted scores."""

from dataclasses import replace

import numpy as np
import pytest
from planted import BASELINE, Planted
from planted_confirmation import CHOSEN, FRESH, fresh, planted_confirmation

from ablate.analysis.apart.choice import fresh_seeds
from ablate.analysis.headline import answer
from ablate.analysis.statistics.family import holm
from ablate.analysis.study import analyse
from ablate.result.manifest import Confirmation, LookedAt


def studied(tried, **more):
    return analyse(*planted_confirmation(tried, **more))


def base():
    return fresh(None)


@pytest.mark.parametrize(
    ("name", "by", "spread", "verdict", "repeat"),
    [
        ("lucky", 0.03, 0.003, "helps", "repeats"),
        ("lucky", 0.03, 0.05, "no evidence", "weaker"),
        ("lucky", 0.005, 0.02, "no evidence", "contradicted"),
        ("lucky", 0.0, 0.002, "negligible", "contradicted"),
        ("slight", -0.008, 0.002, "negligible", "weaker"),
        ("slight", 0.03, 0.002, "helps", "contradicted"),
        ("lucky", -0.05, 0.003, "hurts", "contradicted"),
        ("worse", -0.03, 0.003, "hurts", "repeats"),
        ("unclear", 0.04, 0.003, "helps", "clearer"),
    ],
)
def test_a_verdict_repeats_is_weaker_is_contradicted_or_becomes_clear(name, by, spread, verdict, repeat):
    confirmed = studied({BASELINE: base(), name: fresh(by, spread)}).row(name).confirmed
    assert (confirmed.verdict, confirmed.repeat) == (verdict, repeat)
    assert confirmed.gain.mean == pytest.approx(by)
    assert confirmed.gain.seeds == FRESH


def test_the_answer_quotes_the_confirmed_gain_and_not_the_one_that_was_chosen():
    answer = studied({BASELINE: base(), "lucky": fresh(0.03)}).answer
    assert answer.startswith("lucky helps most surely, confirmed on seeds 10-14: +7.5 % [")
    assert "5 paired seeds; +12.5 % [" in answer
    assert "where it was chosen)" in answer
    assert "not confirmed yet" not in answer


def test_a_row_that_falls_is_no_winner_and_the_next_one_is_named_with_the_command_that_tries_it():
    analysis = studied({BASELINE: base(), "lucky": fresh(0.0, 0.002)})
    assert analysis.winner == "real"
    assert "lucky helped where it was chosen (+12.5 % [" in analysis.answer
    assert "but on seeds 10-14 it is negligible: " in analysis.answer
    assert "real helps most surely: +10.0 % [" in analysis.answer
    assert "; not confirmed yet" in analysis.answer
    assert analysis.next_steps[0].startswith("`ablate run RECIPE --confirm 5 --confirm-rows real`")


def test_beside_a_winner_that_repeats_the_answer_tells_what_did_not():
    """`p1+p2+p3` of notes_cpu helped with five seeds, not with three fresh ones; only the last column said so."""
    runs = {BASELINE: base(), "lucky": fresh(0.05), "real": fresh(0.0, 0.02, salt=8), "worse": fresh(0.0, 0.002)}
    analysis = studied(runs)
    assert analysis.winner == "lucky"
    assert " real helped where it was chosen (+10.0 % [" in analysis.answer
    assert "but on seeds 10-14 it cannot be told from noise: " in analysis.answer
    assert analysis.answer.endswith("Fresh seeds do not repeat worse (hurts, there negligible).")


def test_where_every_helping_row_falls_no_winner_is_named():
    noise = {"lucky": fresh(0.0, 0.02, salt=7), "real": fresh(0.0, 0.02, salt=8)}
    analysis = studied({BASELINE: base(), **noise})
    assert analysis.winner is None
    assert analysis.answer.startswith("no winner is named: lucky helped where it was chosen (")
    assert "it cannot be told from noise: " in analysis.answer


def test_an_unconfirmed_winner_says_so_and_its_next_step_is_the_confirmation():
    planted = Planted(dict(CHOSEN))
    analysis = analyse(planted.manifest(), planted.records())
    assert analysis.answer.endswith("; not confirmed yet.")
    assert analysis.next_steps[0] == (
        "`ablate run RECIPE --confirm 5` tries lucky on unseen seeds: a chosen gain is optimistic."
    )


def test_nothing_is_said_before_all_fresh_runs_have_ended():
    analysis = studied({BASELINE: base(), "lucky": fresh(-0.05)}, gone=(Planted.key("lucky", 14),))
    confirmed = analysis.row("lucky").confirmed
    assert (confirmed.repeat, confirmed.gain, confirmed.runs_ended, confirmed.runs_planned) == (None, None, 9, 10)
    assert "not confirmed yet (9 of 10 runs)" in analysis.answer


def test_the_rows_that_were_tried_are_one_family():
    alone = studied({BASELINE: base(), "lucky": fresh(0.03)}).row("lucky").confirmed.gain
    assert alone.p_holm == alone.p
    tried = {"lucky": fresh(0.03), "real": fresh(0.04, salt=3), "worse": fresh(-0.04, salt=4)}
    analysis = studied({BASELINE: base(), **tried})
    found = [analysis.row(name).confirmed.gain for name in tried]
    assert [gain.p_holm for gain in found] == holm(np.array([gain.p for gain in found])).tolist()
    assert found[0].interval == alone.interval


def test_what_spread_is_usual_is_known_from_the_study():
    """One row alone tells nothing of what spread is usual; the study's rows do."""
    moderated = studied({BASELINE: base(), "lucky": fresh(0.03, 0.0001)}).row("lucky").confirmed.gain
    assert moderated.degrees > 4
    assert moderated.error > 10 * 0.0001 / np.sqrt(5)


def test_a_diverged_fresh_seed_bars_helps():
    scores = {**fresh(0.03), 12: None}
    confirmed = studied({BASELINE: base(), "lucky": scores}).row("lucky").confirmed
    assert (confirmed.verdict, confirmed.repeat) == ("no evidence", "weaker")
    assert confirmed.note.startswith("4/5 finite")


def test_a_failed_fresh_seed_is_told_as_what_it_is_and_the_seeds_named_are_those_that_were_compared():
    """A gain of [+6.0, +9.0] % was said not to be told from noise, for a run of it had failed."""
    failed = studied({BASELINE: base(), "lucky": {**fresh(0.03), 12: None}}).answer
    assert "but on seeds 10-14 not every run of it has a score (4/5 finite" in failed
    alone = studied({BASELINE: {**base(), 12: None}, "lucky": fresh(0.03)}).answer
    assert alone.startswith("lucky helps most surely, confirmed on seeds 10-11 and 13-14: ")
    assert "4 paired seeds" in alone


def test_a_second_try_counts_as_one_of_two():
    tries = [(10, 11, 12), (20, 21, 22)]
    plans = tuple(
        Confirmation(
            seeds=seeds,
            rows=("lucky",),
            keys={name: {seed: Planted.key(name, seed) for seed in seeds} for name in (BASELINE, "lucky")},
        )
        for seeds in tries
    )
    planted = Planted(dict(CHOSEN), manifest_fields={"confirmations": plans})
    every = tuple(seed for seeds in tries for seed in seeds)
    runs = {BASELINE: fresh(None, seeds=every), "lucky": fresh(0.03, seeds=every)}
    records = [planted.record(name, seed, value) for name, held in runs.items() for seed, value in held.items()]
    twice = analyse(planted.manifest(), (*planted.records(), *records)).row("lucky").confirmed
    once = studied(runs).row("lucky").confirmed
    assert (twice.goes, once.goes) == (2, 1)
    assert twice.gain.p == pytest.approx(2 * once.gain.p)
    assert twice.gain.interval.low < once.gain.interval.low


def test_a_control_that_shows_nothing_again_repeats_and_one_that_moves_is_a_warning():
    roles = {"unclear": "control"}
    still = studied({BASELINE: base(), "unclear": fresh(0.0, 0.002)}, roles=roles)
    assert still.row("unclear").confirmed.repeat == "repeats"
    moved = studied({BASELINE: base(), "unclear": fresh(0.05)}, roles=roles)
    assert moved.row("unclear").confirmed.repeat == "contradicted"
    warning = "unclear, which changes nothing, helps on fresh seeds."
    assert [warning in {note.text for note in one.notes} for one in (moved, still)] == [True, False]


def test_how_much_the_gain_shrank_on_fresh_seeds_has_an_interval():
    shrunk, kept = (studied({BASELINE: base(), "lucky": fresh(by)}).row("lucky").confirmed for by in (0.02, 0.05))
    assert shrunk.change.mean == pytest.approx(-0.075, abs=0.001)  # of the baseline's mean of .4
    assert shrunk.change.relative
    assert [state.change.clear for state in (shrunk, kept)] == [True, False]


def test_two_words_of_gains_that_noise_tells_apart_only_in_name_are_no_contradiction():
    """-2.2 % [-3.8, -0.7] hurts, -1.6 % [-2.5, -0.7] is negligible: that was called contradicted."""
    confirmed = studied({BASELINE: base(), "slight": fresh(-0.008, 0.002)}).row("slight").confirmed
    assert confirmed.gain.relative_interval.high < 0
    assert confirmed.repeat == "weaker"


def test_a_baseline_that_was_lucky_is_told_for_it_moves_all_rows_alike():
    down = {seed: score - 0.03 for seed, score in base().items()}
    rows = {"lucky": fresh(0.05), "real": fresh(0.04, salt=3)}
    moved = studied({BASELINE: down, **rows})
    (warning,) = [note for note in moved.notes if note.text.startswith("the baseline scores")]
    assert warning.kind == "warning"
    assert "0.400 on the study's seeds, 0.370 on the seeds 10-14 (-7.5 % [" in warning.text
    assert warning.text.endswith("it was too good on the study's seeds, and so every gain there is too small.")
    (still,) = [note for note in studied({BASELINE: base(), **rows}).notes if note.text.startswith("the baseline sco")]
    assert still.kind == "info"


def test_fresh_seeds_begin_at_the_next_ten_above_everything_that_was_run():
    planted = Planted(dict(CHOSEN))
    assert fresh_seeds(planted.manifest(), planted.records(), 5) == (10, 11, 12, 13, 14)
    other = planted.record("lucky", 31, 0.4)  # trained once, and no longer of the study
    assert fresh_seeds(planted.manifest(), (*planted.records(), other), 2) == (40, 41)


def test_fresh_seeds_are_never_those_that_chose_the_regime():
    seen = LookedAt(seeds=(10, 24), why="the regime was chosen on them")
    planted = Planted(dict(CHOSEN), manifest_fields={"looked_at": seen})
    assert fresh_seeds(planted.manifest(), planted.records(), 3) == (30, 31, 32)


def test_quoting_the_confirmed_gain_is_not_optimistic_and_quoting_the_chosen_one_is():
    """Five patches that gain the same: the best of three seeds, and the same row on five fresh ones."""
    generator = np.random.default_rng(1)
    chosen, confirmed = [], []
    for _ in range(60):
        names = [f"p{index}" for index in range(5)]
        truth = 0.03

        def scores(seeds, by, generator=generator):
            return {seed: 0.4 + by + 0.01 * generator.standard_normal() for seed in seeds}

        study = {BASELINE: scores(range(3), 0.0), **{name: scores(range(3), truth) for name in names}}
        means = {name: np.mean(list(study[name].values())) for name in names}
        best = max(means, key=means.get)
        keys = {name: {seed: Planted.key(name, seed) for seed in FRESH} for name in (BASELINE, best)}
        plan = Confirmation(seeds=FRESH, rows=(best,), keys=keys)
        planted = Planted(study, manifest_fields={"confirmations": (plan,)})
        runs = {BASELINE: scores(FRESH, 0.0), best: scores(FRESH, truth)}
        records = [planted.record(name, seed, value) for name, held in runs.items() for seed, value in held.items()]
        row = analyse(planted.manifest(), (*planted.records(), *records)).row(best)
        chosen.append(row.gain.mean)
        confirmed.append(row.confirmed.gain.mean)
    error = np.std(confirmed) / np.sqrt(len(confirmed))
    assert abs(np.mean(confirmed) - truth) < 3 * error
    assert np.mean(chosen) - truth > 3 * error


def test_a_patch_whose_harm_fresh_seeds_do_not_repeat_is_not_said_to_hurt():
    analysis = studied({BASELINE: base(), "worse": fresh(0.0, 0.002)})
    without = tuple(row for row in analysis.rows if row.verdict != "helps")
    said = answer(replace(analysis, rows=without, winner=None))
    assert "worse hurts" not in said
    assert said.endswith("Fresh seeds do not repeat worse (hurts, there negligible).")
