"""`ablate predict` and `ablate export`: a study's run by variant and seed, what is written and what is said."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tiny_study import ablate, request_of, write_recipe

from ablate.result import Store
from ablate.study.flow import run_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    run_study(request_of(write_recipe(folder), folder))
    return folder / "tiny"


def test_predict_writes_rates_and_says_their_score(study: Path, tmp_path: Path) -> None:
    done = ablate("predict", study, "--variant", "fast", "--out", tmp_path / "p.npz")
    assert done.returncode == 0, done.stderr
    record = next(one for one in Store(study).records() if one.variant == "fast")
    assert "v1_00: 2000 bins, 4 units" in done.stderr
    assert "fast seed 0, test " in done.stderr
    arrays = np.load(tmp_path / "p.npz")
    assert arrays["rate"].shape == arrays["spikes"].shape == (2000, 4)
    assert record.test is not None


def test_an_export_predicts_a_stimulus_without_the_study(study: Path, tmp_path: Path) -> None:
    done = ablate("export", study, tmp_path / "model", "--variant", "baseline")
    assert done.returncode == 0, done.stderr
    np.save(tmp_path / "x.npy", np.random.default_rng(0).integers(0, 255, (90, 8, 8), np.uint8))
    words = ("predict", tmp_path / "model", "--stimulus", tmp_path / "x.npy", "--out", tmp_path / "p.npz")
    done = ablate(*words)
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "p.npz")["rate"].shape == (90, 4)
    done = ablate(*words, "--bin-rate-hz", "30")
    assert done.returncode == 2
    assert "error: bin rate: has 30 Hz, and v1_00 was fitted at 60 Hz" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "p.csv"), "error: p.csv: cannot be written as `.csv`"),
        (("--out", "absent/p.npz"), "error: absent: there is no such folder"),
        (("--out", "p.npz"), "error: STUDY: the study has 3 variants"),
        (("--out", "p.npz", "--behavior", "y.npy"), "error: ablate predict: these options do not go together"),
        (("--out", "p.npz", "--variant", "fast", "--stimulus", "x.npy"), "error: x.npy: there is no such file"),
    ],
)
def test_what_cannot_be_predicted_is_one_message(study: Path, tmp_path: Path, words: tuple, message: str) -> None:
    done = ablate("predict", study, *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(message.replace("STUDY", str(study)))
    assert "Traceback" not in done.stderr
