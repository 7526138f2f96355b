"""Runs of folds in, gains paired by subject or fold out; against scipy, and the corrected variance by its formula."""

import numpy as np
import pytest
from planted import Planted
from scipy import stats

from ablate.analysis.study import analyse
from ablate.result.manifest import AnalysisRule, CrossValidation
from ablate.result.record import RunRecord, SessionScore

SUBJECTS = ("anna", "bert", "cleo", "dana", "emil")
OWN = {"analysis": AnalysisRule(variance="own")}  # no row borrows another's variance: scipy's t test is the reference


def study(scores, *, over="subject", overlap=0.0, missing=(), failed=(), seeds=(0, 1)):
    """scores: variant -> (seed, fold). Each fold tests one subject; missing, failed: (variant, seed, fold)."""
    plan = CrossValidation(names=SUBJECTS, over=over, overlap=overlap)
    planted = Planted({name: dict.fromkeys(seeds, 0.0) for name in scores}, seeds=seeds, metric="bits_per_label")
    manifest, records = planted.manifest(), []
    entries = []
    for entry in manifest.variants:
        folds = {seed: tuple(f"{entry.name}-{seed}-{fold}" for fold in range(len(SUBJECTS))) for seed in seeds}
        entries.append(
            entry.model_copy(update={"folds": folds, "keys": {seed: held[0] for seed, held in folds.items()}})
        )
        for row, seed in enumerate(seeds):
            for fold, subject in enumerate(SUBJECTS):
                if (entry.name, seed, fold) not in missing:
                    value = float(scores[entry.name][row, fold])
                    bad = (entry.name, seed, fold) in failed
                    records.append(run_of(planted, entry.name, seed, fold, subject, None if bad else value))
    update = {"variants": tuple(entries), "cross_validation": plan, **OWN}
    return analyse(manifest.model_copy(update=update), records)


def run_of(planted, name, seed, fold, subject, value) -> RunRecord:
    record = planted.record(name, seed, value)
    record = record.model_copy(update={"key": f"{name}-{seed}-{fold}", "fold": subject})
    if record.test is None:
        return record
    session = SessionScore(name=subject, entries=10, excluded=0, mean=value, pooled=value, weight=10.0, accuracy=0.5)
    others = tuple(
        SessionScore(name=other, entries=0, excluded=0, mean=0.0, pooled=0.0, weight=0.0)
        for other in SUBJECTS
        if other != subject
    )
    more = {"sessions": (session, *others), "confusion": ((3, 2), (1, 4 + fold)), "calibration_error": 0.1}
    return record.model_copy(update={"test": record.test.model_copy(update=more)})


def planted_scores(seed=0, gain=0.1):
    rng = np.random.default_rng(seed)
    subjects = 0.3 + 0.2 * rng.standard_normal(len(SUBJECTS))
    base = subjects + 0.02 * rng.standard_normal((2, len(SUBJECTS)))
    return {"baseline": base, "gru": base + gain + 0.05 * rng.standard_normal((2, len(SUBJECTS)))}


def test_a_gain_is_paired_by_subject_and_its_interval_is_over_subjects():
    scores = planted_scores()
    analysis = study(scores)
    row = analysis.row("gru")
    wanted = stats.ttest_rel(scores["gru"].mean(0), scores["baseline"].mean(0))
    interval = wanted.confidence_interval()
    assert row.gain.by_seed == pytest.approx((scores["gru"] - scores["baseline"]).mean(0))
    assert (row.gain.p, row.gain.interval.low, row.gain.interval.high) == pytest.approx((wanted.pvalue, *interval))
    assert (analysis.replicate, analysis.pairs, row.finite) == ("subject", 5, "5/5")
    assert "paired by subject, t interval over the subjects" in " ".join(note.text for note in analysis.notes)
    assert (analysis.runs_planned, analysis.runs_done) == (20, 20)


def test_the_same_subjects_in_every_fold_widen_the_interval_by_nadeau_and_bengio():
    scores, overlap = planted_scores(), 1 / 4
    row = study(scores, over="fold", overlap=overlap).row("gru")
    differences = (scores["gru"] - scores["baseline"]).mean(0)
    n = len(differences)
    error = np.sqrt(differences.var(ddof=1) * (1 / n + overlap))
    half = stats.t.ppf(0.975, n - 1) * error
    assert row.gain.mean == pytest.approx(differences.mean())
    assert (row.gain.interval.high - row.gain.interval.low) / 2 == pytest.approx(half)
    assert row.gain.p == pytest.approx(2 * stats.t.sf(abs(differences.mean()) / error, n - 1))
    assert dict(row.by_seed) == pytest.approx(dict(enumerate(scores["gru"].mean(0))))  # as they were measured


def test_each_subject_stands_in_the_report_by_the_fold_that_tests_it():
    scores = planted_scores()
    row = study(scores).row("gru")
    assert [one.name for one in row.sessions] == list(SUBJECTS)
    assert [one.score for one in row.sessions] == pytest.approx(scores["gru"].mean(0))
    assert [one.trials for one in row.classes.subjects] == [10] * 5
    assert row.classes.confusion == ((30, 20), (10, 60))  # two seeds, five folds
    assert row.score.mean == pytest.approx(scores["gru"].mean())


def test_a_seed_counts_once_all_its_folds_are_in_place():
    scores = planted_scores()
    row = study(scores, missing={("gru", 1, 3)}).row("gru")
    assert row.gain.by_seed == pytest.approx(scores["gru"][0] - scores["baseline"][0])
    nothing = study(scores, missing={("gru", 0, 0), ("gru", 1, 3)}).row("gru")
    assert (nothing.gain, nothing.verdict_note) == (None, "not run yet")


def test_a_fold_that_failed_bars_its_seed_and_is_named():
    analysis = study(planted_scores(), failed={("gru", 1, 2)})
    (failure,) = analysis.failures
    assert (failure.variant, failure.seed, failure.state) == ("gru", 1, "diverged")
    assert failure.reason == "fold cleo: loss was not finite at step 17"
    assert analysis.row("gru").seeds_barred == 1


def test_one_seed_of_many_subjects_has_an_interval():
    scores = {name: values[:1] for name, values in planted_scores().items()}
    row = study(scores, seeds=(0,)).row("gru")
    assert row.gain.interval is not None
    assert row.verdict == "helps"
