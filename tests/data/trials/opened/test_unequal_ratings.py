"""Ratings of trials of unequal length: scores are scipy's densities over the intervals that there are."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import norm, pearsonr
from test_unequal_lengths import META, length_of, model_for, opened, trial

from ablate.contract import FusionBatch
from ablate.data.trials.layout.native import write_folder
from ablate.errors import AblateError
from ablate.training.loss import mean_loss
from ablate.training.score import scorer_for

TRIALS = 36


def ratings_of(index: int) -> list[float]:
    """One for each interval of a trial; every fifth trial's second one is missing."""
    drawn = np.random.default_rng([7, index]).normal(5, 2, length_of(f"t{index:03d}")).round(3).tolist()
    return [math.nan if index % 5 == 0 and place == 1 else value for place, value in enumerate(drawn)]


def rated_folder(folder: Path, cells: list[str], column: str = "valence") -> Path:
    write_folder(folder, META, [trial(index) for index in range(TRIALS)])
    lines = (folder / "manifest.csv").read_text().splitlines()
    lines = [f"{lines[0]},{column}", *(f"{line},{cell}" for line, cell in zip(lines[1:], cells, strict=True))]
    (folder / "manifest.csv").write_text("\n".join(lines))
    return folder


def by_interval(index: int) -> str:
    return "|".join("" if math.isnan(value) else str(value) for value in ratings_of(index))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rated_folder(tmp_path_factory.mktemp("rated"), [by_interval(index) for index in range(TRIALS)])


def whole_test(data: Any) -> tuple[FusionBatch, list[str]]:
    """The test split as one batch, and its trials in the batch's order."""
    split = data.splits["test"]
    order = np.argsort(split.session, kind="stable")
    return data.batch("test", order), [split.trial_ids[row] for row in order]


def said_of(names: list[str], places: int) -> np.ndarray:
    """What a model says (n, places, 1, 2): any mean and log deviation, of z-scores; NaN would be one too in a pad."""
    rng = np.random.default_rng(3)
    said = np.stack([rng.normal(0, 1, (len(names), places)), rng.normal(-0.5, 0.3, (len(names), places))], axis=-1)
    for row, name in enumerate(names):
        said[row, length_of(name) :] = 1e3
    return said[:, :, None]


def test_scores_are_scipys_over_the_intervals_that_there_are(folder: Path) -> None:
    data = opened(folder, targets=["valence"])
    train = [value for name in data.splits["train"].trial_ids for value in ratings_of(int(name[1:]))]
    mean, sd = float(np.nanmean(train)), float(np.nanstd(train))
    assert (data.spec.targets[0].mean, data.spec.targets[0].sd) == pytest.approx((mean, sd), rel=1e-9)
    batch, names = whole_test(data)
    said, bits, pairs = said_of(names, 4), [], []
    for name, own in zip(names, said[:, :, 0], strict=True):
        gains = []
        for value, (m, log_s) in zip(ratings_of(int(name[1:])), own, strict=False):  # pads have no value to go with
            if not math.isnan(value):
                predicted = norm(mean + sd * m, sd * math.exp(log_s))
                gains.append((predicted.logpdf(value) - norm(mean, sd).logpdf(value)) / math.log(2))
                pairs.append((value, mean + sd * m))
        bits.append(float(np.mean(gains)))
    scorer, start, parts = scorer_for(data.spec, metric="bits_per_value"), 0, []
    for target in batch.targets:
        parts.append(torch.from_numpy(said[start : start + len(target.values)]))
        start += len(target.values)
    scorer.add(tuple(parts), batch)
    score = scorer.score("hash")
    subjects = np.array([int(name[1:]) % 2 for name in names])
    by_subject = [float(np.mean(np.array(bits)[subjects == subject])) for subject in (0, 1)]
    assert score.headline == pytest.approx(float(np.mean(by_subject)), rel=1e-5)
    assert score.targets[0].moments.count == len(pairs) < 4 * len(names)
    assert score.correlation == pytest.approx(pearsonr(*np.array(pairs).T).statistic, rel=1e-6)
    gained = -float(mean_loss(tuple(parts), batch, "values"))
    squares = [(value - mean) ** 2 / sd**2 / 2 for value, _ in pairs]
    assert gained + float(np.mean(squares)) == pytest.approx(
        float(score.targets[0].bits) * math.log(2), rel=1e-4
    )  # the loss is over the same intervals


@pytest.mark.parametrize("kind", ["interval", "trial"])
def test_what_lies_in_a_pad_moves_no_number_and_no_gradient(tmp_path: Path, kind: str) -> None:
    cells = [by_interval(index) if kind == "interval" else f"{index % 7}.5" for index in range(TRIALS)]
    place, found = rated_folder(tmp_path, cells), {}
    for poisoned in (False, True):
        data = opened(place, targets=["valence"], poison_pads=poisoned)
        batch, model = data.batch("train", np.arange(8)), model_for(data.spec, video={"type": "features"})
        predictions = model(batch)
        assert predictions[0].shape[1:] == ((4 if kind == "interval" else 1), 1, 2)
        mean_loss(predictions, batch, "values").backward()
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        scored = [said[target.valid].flatten() for said, target in zip(predictions, batch.targets, strict=True)]
        found[poisoned] = torch.cat([*scored, *gradients])
    assert torch.isfinite(found[True]).all()
    assert torch.equal(found[True], found[False])


def test_an_interval_beyond_the_end_is_not_rated(folder: Path) -> None:
    data = opened(folder, targets=["valence"])
    for split in data.splits.values():
        for name, own in zip(split.trial_ids, split.labels[..., 0], strict=True):
            np.testing.assert_array_equal(own[: length_of(name)], ratings_of(int(name[1:])))
            assert np.isnan(own[length_of(name) :]).all()


def test_numbers_that_are_not_the_trials_own_count_are_refused(tmp_path: Path) -> None:
    cells = [by_interval(index) for index in range(TRIALS)]
    with pytest.raises(AblateError, match="4 numbers for each target, the trial has 2 intervals"):
        opened(rated_folder(tmp_path, ["1|2|3|4", *cells[1:]]), targets=["valence"])


def test_continuous_ratings_beyond_the_end_of_a_short_trial_belong_to_no_interval(tmp_path: Path) -> None:
    """Ten ratings a second over 4 s, whatever the trial's own length: a mean of those of each second that it has."""
    folder = rated_folder(tmp_path, [f"r{index}.csv" for index in range(TRIALS)], column="ratings")
    t = np.arange(40) / 10
    for index in range(TRIALS):
        rows = [f"{at:.1f},{value:.6f}" for at, value in zip(t, continuous(index), strict=True)]
        (folder / f"r{index}.csv").write_text("\n".join(["t,valence", *rows]))
    data = opened(folder, targets=["valence"])
    beyond = sum(10 * (4 - length_of(f"t{index:03d}")) for index in range(TRIALS))
    assert any(f"{beyond} of {40 * TRIALS} ratings lie outside their trials" in told for told in data.notices)
    for split in data.splits.values():
        for name, own in zip(split.trial_ids, split.labels[..., 0], strict=True):
            means = continuous(int(name[1:])).reshape(4, 10).mean(axis=1)
            np.testing.assert_allclose(own[: length_of(name)], means[: length_of(name)], atol=1e-6)
            assert np.isnan(own[length_of(name) :]).all()


def continuous(index: int) -> np.ndarray:
    return np.random.default_rng([9, index]).normal(5, 2, 40)
