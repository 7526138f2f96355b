"""A study of recorded trials, from files to records: what happens when the files change."""

from pathlib import Path

import numpy as np
import pytest
from tiny_study import request_of

from ablate.cli.command.run import finished_study
from ablate.data.trials.layout.native import write_folder
from ablate.errors import AblateError
from ablate.study.flow import run_study
from ablate.study.study import study_of

RECIPE = """\
name: films
question: Do the files matter?
data: {{type: trials, path: {path}}}
baseline: {{type: fusion, embedding_dim: 8, eeg: {{type: eegnet, kernel_size: 9}}, fusion: {{type: {fusion}}}}}
training: {{steps: 4, batch_size: 4, warmup_steps: 1, evaluate_every: 2, learning_rate: {rate}}}
patches: {{}}
variants: []
seeds: [0]
"""


def folder_of(place: Path) -> Path:
    trials = []
    for index in range(24):
        rng = np.random.default_rng(index)
        trials.append(
            {
                "trial_id": f"t{index:02d}",
                "subject": f"s{index // 12}",
                "session": "a",
                "label": ["calm", "happy"][index % 2],
                "eeg": (20 * rng.standard_normal((3, 400))).astype(np.float32),
                "features": rng.standard_normal((2, 3, 5)).astype(np.float32),
                "frame_mask": np.ones((2, 3), dtype=bool),
            }
        )
    write_folder(
        place, {"eeg_rate_hz": 100.0, "channel_names": ["Fz", "Cz", "Pz"], "units": "uV", "interval_s": 2.0}, trials
    )
    return place


def recipe_of(tmp_path: Path, *, rate: str = "1.0e-3", fusion: str = "gated_cross_attention") -> Path:
    file = tmp_path / "films.yaml"
    file.write_text(RECIPE.format(path=folder_of(tmp_path / "trials"), rate=rate, fusion=fusion))
    return file


def rewrite(tmp_path: Path, **arrays: np.ndarray) -> None:
    with np.load(tmp_path / "trials" / "t05.npz") as stored:
        kept = {**stored, **arrays}
    np.savez(tmp_path / "trials" / "t05.npz", **kept)


def test_features_rewritten_under_the_same_names_are_other_data(tmp_path: Path) -> None:
    """CASES 1: it said "0 trained, all kept", and showed the old scores."""
    request = request_of(recipe_of(tmp_path), tmp_path / "results")
    first = run_study(request)
    assert first.trained == len(first.study.jobs)
    assert finished_study(request) is not None
    rewrite(tmp_path, features=np.ones((2, 3, 5), np.float32))
    assert finished_study(request) is None
    with pytest.raises(AblateError, match=r"\(its data changed\)"):
        run_study(request)
    end = run_study(request_of(request.recipe, tmp_path / "results", changed=True))
    assert (end.trained, end.kept) == (first.trained, 0)


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("manifest.csv", {"t05,s0": "t05,s1"}),  # whose trial it is
        ("manifest.csv", {",s1,": ",p1,"}),  # what a subject is called
        ("manifest.csv", {"happy": "joyful"}),  # what a class is called; its place in the order stays
        ("meta.yaml", {"Cz": "C4"}),
        ("meta.yaml", {"eeg_rate_hz: 100.0": "eeg_rate_hz: 200.0", "interval_s: 2.0": "interval_s: 1.0"}),
    ],
)
def test_whatever_the_tables_of_a_folder_say_belongs_to_the_run(tmp_path, file, changes):
    """Names of classes, the rate and the seconds did not: "0 trained, all kept", under names that were gone."""
    recipe = recipe_of(tmp_path)
    keys = [study_of(request_of(recipe, tmp_path / "results")).manifest.variants[0].keys]
    text = (tmp_path / "trials" / file).read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "trials" / file).write_text(text)
    keys.append(study_of(request_of(recipe, tmp_path / "results")).manifest.variants[0].keys)
    assert keys[0] != keys[1]


def test_a_run_that_failed_is_tried_again_once_its_data_changed(tmp_path: Path) -> None:
    """A learning rate that diverges stands for any failure: the same data are not tried again, other data are."""
    request = request_of(recipe_of(tmp_path, rate="1.0e30"), tmp_path / "results")
    count = len(run_study(request).failures)
    assert count > 0
    again = run_study(request)
    assert (again.trained, again.kept, len(again.failures)) == (0, count, count)
    rewrite(tmp_path, features=np.ones((2, 3, 5), np.float32))
    end = run_study(request)
    assert end.kept == 0
    assert len(list((tmp_path / "results" / "films" / "runs").iterdir())) == 2 * count


def test_a_folder_with_faults_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    request = request_of(recipe_of(tmp_path), tmp_path / "results")
    rewrite(tmp_path, features=np.full((2, 3, 5), np.nan, np.float32))
    with pytest.raises(AblateError, match=r"trial t05\): 6 valid frames hold NaN or infinity"):
        run_study(request)
    assert not (tmp_path / "results").exists()


def test_what_is_no_fault_but_should_be_known_is_said_before_a_study(tmp_path: Path) -> None:
    request = request_of(recipe_of(tmp_path), tmp_path / "results")
    rewrite(tmp_path, frame_mask=np.zeros((2, 3), dtype=bool))
    (notice,) = (one for one in study_of(request).notices if one.where == "data")
    assert notice.what.startswith("2 of 48 intervals have no frame (4 %)")


def test_every_prediction_is_kept_beside_its_run_under_the_trials_own_name(tmp_path: Path) -> None:
    end = run_study(request_of(recipe_of(tmp_path), tmp_path / "results"))
    record = next(one for one in end.study.store.records() if one.variant == "baseline")
    lines = (end.study.store.folder(record.key) / "predictions.csv").read_text().splitlines()
    assert lines[0] == "subject,trial,place,label,guess,p(calm),p(happy)"
    said = [line.split(",") for line in lines[1:]]
    assert record.test is not None
    assert len(said) == sum(map(sum, record.test.confusion)) == 4
    assert all(cell[3] == ("calm", "happy")[int(cell[1][1:]) % 2] for cell in said)
    assert record.test.class_names == ("calm", "happy")
    right = sum(cell[3] == cell[4] for cell in said)
    assert record.test.accuracy == right / 4
