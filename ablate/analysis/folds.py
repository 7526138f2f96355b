"""Cross-validation: the runs of all folds of a seed in, one run out; and what intervals are over, the folds.

    score(fold f)  = mean over seeds of the score of f's test split
    interval       = t over the folds, with the variance of their mean taken as s^2 (1 / n + overlap)

Where every fold tests subjects that no other fold tests (loso, kfold by subject), the folds are the independent draws
and overlap is 0: what training sets share moves their scores little. Where the same subjects stand in every fold
(kfold by trial), they move all folds together, the plain interval covers 82 to 87 % instead of 95 % (simulated in
tests/analysis/statistics/test_folds_cover.py), and overlap is tested over trained, the correction of Nadeau & Bengio
2003 ("Inference for the generalization error", Machine Learning 52, equation 9; for folds Bouckaert & Frank 2004).

The correction is made once, here: each fold's deviation from the mean over folds is widened by sqrt(1 + n overlap), so
that every contrast of variants, which is linear in these scores, has the corrected error and the mean that it had.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ablate.result.manifest import CrossValidation
from ablate.result.measure.agreement import concordance, correlation, joined, mean_known
from ablate.result.measure.confusion import accuracy, balanced_accuracy, macro_f1
from ablate.result.record import RunRecord, Score, SessionScore, Usage

FINAL = ("failed", "diverged")


def run_of_folds(runs: Sequence[RunRecord | None]) -> RunRecord | None:
    """One seed's run: scored where all folds are, failed where one is; None while folds are to come."""
    for run in runs:
        if run is not None and (run.state in FINAL or (run.state == "done" and not _finite(run))):
            return run.model_copy(update={"reason": f"fold {run.fold}: {run.reason}", "test": None})
    done = [run for run in runs if run is not None and run.state == "done"]
    if len(done) < len(runs) or not done:
        return None
    return done[0].model_copy(
        update={
            "test": merged([run.test for run in done if run.test is not None]),
            "validation": merged([run.validation for run in done if run.validation is not None]),
            "usage": _usage([run.usage for run in done if run.usage is not None]),
            "measures": _means([run.measures for run in done]),
            "finished": max(run.finished for run in done),
            "fold": "",
        }
    )


def _finite(run: RunRecord) -> bool:
    return run.test is not None and math.isfinite(run.test.headline)


def merged(scores: Sequence[Score]) -> Score | None:
    """The score of all folds together: the headline their mean, each subject by the folds that test it, classes counted
    over all of them."""
    if not scores:
        return None
    first, labels = scores[0], [sum(one.weight for one in score.sessions) for score in scores]
    names = dict.fromkeys(one.name for score in scores for one in score.sessions)
    attainable = [score.attainable for score in scores if score.attainable is not None]
    identity = hashlib.blake2b(" ".join(score.scored_hash for score in scores).encode(), digest_size=16)
    more: dict[str, object] = {}
    if all(score.targets for score in scores):
        more = _of_numbers(scores)
    if all(score.confusion for score in scores):
        matrix = np.array([score.confusion for score in scores], dtype=np.int64).sum(axis=0)
        error = [score.calibration_error or 0.0 for score in scores]
        more = {
            "confusion": tuple(tuple(int(count) for count in row) for row in matrix),
            "accuracy": accuracy(matrix),
            "balanced_accuracy": balanced_accuracy(matrix),
            "macro_f1": macro_f1(matrix),
            "calibration_error": float(np.average(error, weights=labels)),
        }
    return first.model_copy(
        update={
            "headline": float(np.mean([score.headline for score in scores])),
            "weighted": float(np.average([score.weighted for score in scores], weights=labels)),
            "pooled": float(np.average([score.pooled for score in scores], weights=labels)),
            "sessions": tuple(
                _session([one for s in scores for one in s.sessions if one.name == name]) for name in names
            ),
            "scored_hash": identity.hexdigest(),
            "attainable": float(np.mean(attainable)) if len(attainable) == len(scores) else None,
            **more,
        }
    )


def _of_numbers(scores: Sequence[Score]) -> dict[str, object]:
    """Of all labels of all folds, from the moments of each."""
    targets = []
    for parts in zip(*(score.targets for score in scores), strict=True):
        counts = [part.moments.count for part in parts]
        bits = float(np.average([part.bits for part in parts], weights=counts)) if sum(counts) else 0.0
        moments = joined([part.moments for part in parts])
        targets.append(parts[0].model_copy(update={"bits": bits, "moments": moments}))
    return {
        "targets": tuple(targets),
        "correlation": mean_known([correlation(one.moments) for one in targets]),
        "concordance": mean_known([concordance(one.moments) for one in targets]),
    }


def _session(parts: Sequence[SessionScore]) -> SessionScore:
    """One subject over the folds that test it. Balanced accuracy, F1 and
    correlations are no means of parts, so several have none."""
    tested = [one for one in parts if one.entries]
    if len(tested) < 2:
        return tested[0] if tested else parts[0]
    entries, weights = [one.entries for one in tested], [one.weight for one in tested]
    right = [one.accuracy for one in tested if one.accuracy is not None]
    best = [one.attainable for one in tested if one.attainable is not None]
    return tested[0].model_copy(
        update={
            "entries": sum(entries),
            "excluded": sum(one.excluded for one in tested),
            "mean": float(np.average([one.mean for one in tested], weights=entries)),
            "pooled": float(np.average([one.pooled for one in tested], weights=weights)),
            "weight": sum(weights),
            "attainable": float(np.average(best, weights=entries)) if len(best) == len(tested) else None,
            "accuracy": float(np.average(right, weights=weights)) if len(right) == len(tested) else None,
            "balanced_accuracy": None,
            "macro_f1": None,
            "correlation": None,
            "concordance": None,
        }
    )


def _usage(used: Sequence[Usage]) -> Usage | None:
    """What all folds of a seed used together; a step's time is their mean."""
    if not used:
        return None
    cpu = [one.cpu_seconds for one in used if one.cpu_seconds is not None]
    return Usage(
        seconds=sum(one.seconds for one in used),
        cpu_seconds=sum(cpu) if len(cpu) == len(used) else None,
        steps=sum(one.steps for one in used),
        best_step=round(sum(one.best_step for one in used) / len(used)),
        step_milliseconds=sum(one.step_milliseconds for one in used) / len(used),
        peak_memory_bytes=max(one.peak_memory_bytes for one in used),
    )


def _means(measures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    shared = set(measures[0]).intersection(*measures)
    return {name: float(np.mean([one[name] for one in measures])) for name in sorted(shared)}


class FoldScores(NamedTuple):
    """By fold. scores: corrected for what folds share; measured: as they were."""

    scores: dict[int, float]
    measured: dict[int, float]


def scores_by_fold(
    runs: Mapping[str, Mapping[int, Sequence[RunRecord]]], baseline: str, plan: CrossValidation
) -> dict[str, FoldScores]:
    """Variant -> its scores. runs: variant -> seed -> its folds' runs, of the seeds that are whole.

    A fold's score is the mean over the variant's seeds, told as the baseline's plus the mean difference over the seeds
    that both have, so that gains stay paired where a seed is missing.
    """
    values = {name: {seed: _headlines(folds) for seed, folds in of.items()} for name, of in runs.items()}
    base, found = values[baseline], {}
    for name, own in values.items():
        common = sorted(own.keys() & base.keys())
        if common and name != baseline:
            difference = np.mean([own[seed] - base[seed] for seed in common], axis=0)
            folds = np.mean([base[seed] for seed in sorted(base)], axis=0) + difference
        elif own:
            folds = np.mean([own[seed] for seed in sorted(own)], axis=0)
        else:
            folds = np.zeros(0)
        widened = _widened(folds, plan.overlap)
        found[name] = FoldScores(dict(enumerate(widened.tolist())), dict(enumerate(folds.tolist())))
    return found


def _headlines(runs: Sequence[RunRecord]) -> np.ndarray:
    return np.array([run.test.headline for run in runs if run.test is not None])


def _widened(folds: np.ndarray, overlap: float) -> np.ndarray:
    if not len(folds) or overlap == 0:
        return folds
    return np.asarray(folds.mean() + np.sqrt(1 + len(folds) * overlap) * (folds - folds.mean()))
