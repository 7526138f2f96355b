"""A study of ratings from the manifest to the report: EEG says one number, the film the other."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.cli.studies import analysis_of
from ablate.data.trials.layout.native import write_folder
from ablate.result import Store

RECIPE = """\
# ratings.yaml
question: Does the film help the EEG to tell how the trial was rated?
data: {type: trials, path: rated, targets: [valence, arousal], split: SPLIT}
baseline:
  type: fusion
  embedding_dim: 8
  video: {type: features}
  mixer: {type: none}
  compressor: {type: mean}
  eeg: {type: conformer, depth: 1, kernel_size: 9}
  fusion: {type: none}
training: {steps: 80, batch_size: 16, warmup_steps: 2, evaluate_every: 20, ema: 0, learning_rate: 3.0e-2}
patches:
  film: {title: film, fusion: {type: late}}
variants: [each]
controls: false
seeds: [0]
"""


def rated(folder: Path, subjects: int = 3, each: int = 16, lasts: Sequence[int] = ()) -> None:
    """arousal is what the features show; valence is noise. lasts: intervals of each trial, each with numbers of its
    own; without it two, and the trial is rated as a whole."""
    rng, trials = np.random.default_rng(0), []
    for index in range(subjects * each):
        arousal = rng.normal()
        last = lasts[index] if lasts else 2
        features = np.tile(np.array([arousal, 1, -1, 0], np.float32), (last, 2, 1))
        numbers = [(rng.normal(5, 2), 20 + 3 * arousal) for _ in range(last if lasts else 1)]
        trials.append(
            {
                "trial_id": f"t{index:02d}",
                "subject": f"s{index // each}",
                "session": "1",
                "label": "any",
                "eeg": (10 * rng.standard_normal((2, 50 * last))).astype(np.float32),
                "features": features + 0.1 * rng.standard_normal(features.shape).astype(np.float32),
                "frame_mask": np.ones((last, 2), bool),
                "numbers": ",".join("|".join(f"{value:.3f}" for value in own) for own in zip(*numbers, strict=True)),
            }
        )
    meta = {"eeg_rate_hz": 50.0, "channel_names": ["Fz", "Oz"], "units": "uV", "interval_s": 1.0}
    write_folder(folder, meta, trials)
    lines = (folder / "manifest.csv").read_text().splitlines()
    more = ["valence,arousal", *(str(trial["numbers"]) for trial in trials)]
    text = "\n".join(f"{line},{numbers}" for line, numbers in zip(lines, more, strict=True))
    (folder / "manifest.csv").write_text(text + "\n")


def test_ratings_are_learned_scored_and_told(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rated(Path("rated"))
    Path("ratings.yaml").write_text(RECIPE.replace("SPLIT", "trial"))
    runner = CliRunner()
    done = runner.invoke(app, ["run", "ratings.yaml"])
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    told = runner.invoke(app, ["report", "results/ratings", "--details"]).output
    for text in ("Number by number", "Subject by subject", "correlation", "CCC", "RMSE", "constant guess"):
        assert text in told
    assert "accuracy" not in told
    record = json.loads(runner.invoke(app, ["report", "results/ratings", "--format", "json"]).output)
    rows = {row["variant"]: row for row in record["rows"]}
    assert record["metric"] == "bits_per_value"
    valence, arousal = rows["film"]["numbers"]["targets"]
    assert arousal["bits"] > 0.5, arousal
    assert arousal["correlation"] > 0.8, arousal
    assert rows["baseline"]["numbers"]["targets"][1]["bits"] < 0.3
    assert [valence["name"], arousal["name"]] == ["valence", "arousal"]
    store = Store("results/ratings")
    film = next(run for run in store.records() if run.variant == "film")
    lines = list(csv.DictReader((store.folder(film.key) / "predictions.csv").read_text().splitlines()))
    assert {line["target"] for line in lines} == {"valence", "arousal"}
    own = [line for line in lines if line["target"] == "arousal"]
    error = np.mean([(float(line["value"]) - float(line["mean"])) ** 2 for line in own]) ** 0.5
    assert abs(error - arousal["error"]) < 1e-3
    analysis = analysis_of(store)
    (drawn,) = (one for one in analysis.said if (one.variant, one.target) == ("film", "arousal"))
    assert sorted(zip(drawn.value, drawn.mean, drawn.sd, strict=True)) == sorted(
        (float(line["value"]), float(line["mean"]), float(line["sd"])) for line in own
    )
    page_of(runner, "results/ratings")


def page_of(runner: CliRunner, study: str) -> str:
    """The page of a study of numbers: it shows what numbers have, and nothing that only classes have."""
    done = runner.invoke(app, ["report", study, "--html", "page.html", "--figures", "figures"])
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    page = Path("page.html").read_text(encoding="utf-8")
    for shown in ("bits/label", "Number by number", "Subject by subject", "CCC", "RMSE", "Pearson", "constant guess"):
        assert shown in page, shown
    assert "As rated and as predicted" in page
    assert {file.stem for file in Path("figures").iterdir()} >= {"gains", "numbers"}
    for of_classes in ("accuracy", "macro F1", "confusion", "takes for what", "calibration error", "class frequencies"):
        assert of_classes not in page, of_classes
    return page


def test_the_folds_of_a_cross_validation_are_joined_to_one_correlation(tmp_path: Path, monkeypatch) -> None:
    """Of all labels of all folds at once, from the predictions that were kept."""
    from scipy.stats import pearsonr

    monkeypatch.chdir(tmp_path)
    rated(Path("rated"), each=6)
    Path("ratings.yaml").write_text(RECIPE.replace("SPLIT", "{type: loso}").replace("steps: 80", "steps: 4"))
    runner = CliRunner()
    done = runner.invoke(app, ["run", "ratings.yaml", "--set", "training.evaluate_every=4"])
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    record = json.loads(runner.invoke(app, ["report", "results/ratings", "--format", "json"]).output)
    row = next(row for row in record["rows"] if row["variant"] == "film")
    store = Store("results/ratings")
    kept = [run for run in store.records() if run.variant == "film"]
    assert len(kept) == 3
    lines = [
        line
        for run in kept
        for line in csv.DictReader((store.folder(run.key) / "predictions.csv").read_text().splitlines())
        if line["target"] == "arousal"
    ]
    numbers = [[float(line[name]) for line in lines] for name in ("value", "mean")]
    (drawn,) = (one for one in analysis_of(store).said if (one.variant, one.target) == ("film", "arousal"))
    assert sorted(drawn.value) == sorted(numbers[0])  # of all folds
    page_of(runner, "results/ratings")
    arousal = row["numbers"]["targets"][1]
    assert arousal["labels"] == len(lines) == 18
    assert abs(arousal["correlation"] - pearsonr(*numbers).statistic) < 1e-4


def test_predict_gives_mean_and_deviation_of_every_number_and_no_interval_beyond_a_trials_end(
    tmp_path: Path, monkeypatch
) -> None:
    """Born of a fault: a run of numbers ended `ablate predict` with a traceback, and pads were rows of their own."""
    monkeypatch.chdir(tmp_path)
    lasts = [1 + index % 2 for index in range(24)]
    rated(Path("rated"), each=8, lasts=lasts)
    Path("ratings.yaml").write_text(RECIPE.replace("SPLIT", "trial, lengths: padded").replace("steps: 80", "steps: 4"))
    runner = CliRunner()
    done = runner.invoke(app, ["run", "ratings.yaml", "--set", "training.evaluate_every=4"])
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    done = runner.invoke(app, ["predict", "results/ratings", "--variant", "film", "--out", "said.npz"])
    assert done.exit_code == 0, f"{done.output} {done.exception}"
    assert "of valence, arousal" in done.output
    said = dict(np.load("said.npz"))
    assert len(said["mean"]) == 2 * sum(lasts)
    store = Store("results/ratings")
    film = next(run for run in store.records() if run.variant == "film")
    lines = list(csv.DictReader((store.folder(film.key) / "predictions.csv").read_text().splitlines()))
    kept = {(line["trial"], int(line["place"]), line["target"]): line for line in lines}
    test = np.flatnonzero(said["split"] == "test")
    assert len(test) == len(kept)
    for row in test:
        line = kept[str(said["trial"][row]), int(said["place"][row]), str(said["target"][row])]
        for name in ("value", "mean", "sd"):
            np.testing.assert_allclose(said[name][row], float(line[name]), rtol=1e-4)
