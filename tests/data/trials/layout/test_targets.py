"""Numbers to learn of recorded trials: read from cells and files, refused where they do not fit, scaled by train."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trial_folders import CPU, SMALL_FILM, eav, edited, mne_folder, native, opened, problems, said, trials_of

from ablate.data import TrialsConfig
from ablate.errors import AblateError

NUMBERS = [round(1 + 8 * ((7 * index) % 24) / 23, 3) for index in range(24)]


def with_columns(folder: Path, **columns: list[Any]) -> Path:
    """The manifest with more columns, a cell a trial."""
    file = folder / "manifest.csv"
    lines = file.read_text().splitlines()
    text = [",".join([lines[0], *columns])]
    text += [",".join([line, *(str(cells[row]) for cells in columns.values())]) for row, line in enumerate(lines[1:])]
    file.write_text("\n".join(text) + "\n")
    return folder


def rated(place: Path, **columns: list[Any]) -> Path:
    return with_columns(native(place), **{"valence": NUMBERS, **columns})


def values_of(folder: Path, **options: Any) -> dict[str, list[list[float]]]:
    """Trial -> its numbers (n, k)."""
    data = opened(folder, **options)
    splits = data.splits.values()
    return {name: own.tolist() for one in splits for name, own in zip(one.trial_ids, one.labels, strict=True)}


def test_a_column_of_numbers_is_learned_and_scaled_by_the_training_split_alone(tmp_path: Path) -> None:
    data = opened(rated(tmp_path, arousal=[-number for number in NUMBERS]), targets=["valence", "arousal"])
    train = data.splits["train"].labels
    assert (data.spec.task, data.metric, data.spec.classes) == ("values", "bits_per_value", 0)
    assert [one.name for one in data.spec.targets] == ["valence", "arousal"]
    for place, one in enumerate(data.spec.targets):
        assert (one.mean, one.sd) == pytest.approx((train[..., place].mean(), train[..., place].std()))
    targets = data.batch("test", np.arange(4)).targets
    z = np.concatenate([target.values.numpy() for target in targets])
    order = np.argsort(data.splits["test"].session[:4], kind="stable")
    assert z[:, 0, 0] == pytest.approx(
        (data.splits["test"].labels[order, 0, 0] - train[..., 0].mean()) / train[..., 0].std(), abs=1e-5
    )


def test_a_cell_without_a_number_is_not_scored_and_told(tmp_path: Path) -> None:
    folder = rated(tmp_path, arousal=["", "nan", *NUMBERS[2:]])
    data = opened(folder, targets=["valence", "arousal"])
    assert "arousal is not rated in 2 of 24 trials: these are not scored" in data.notices
    batches = [data.batch(name, np.arange(len(split))) for name, split in data.splits.items()]
    assert sum(int(target.valid.sum()) for batch in batches for target in batch.targets) == 2 * 24 - 2


def test_an_interval_has_a_number_of_its_own(tmp_path: Path) -> None:
    cells = ["1|2" if index % 2 else "|4.5" for index in range(24)]
    folder = with_columns(native(tmp_path), valence=cells)
    data = opened(folder, targets=["valence"])
    assert data.spec.labels_per == "interval"
    assert TrialsConfig(path=str(folder), targets=("valence",)).bins_per_row == 2
    values = values_of(folder, targets=["valence"])
    assert values["t001"] == [[1], [2]]
    assert np.isnan(values["t000"][0][0])
    assert values["t000"][1] == [4.5]


def annotated(place: Path, t: np.ndarray, values: np.ndarray, kind: str = "csv", **columns: list[Any]) -> Path:
    """Every trial with a file of ratings: the values, and for all but the first trial these plus its number."""
    folder = native(place)
    for index in range(24):
        own = values + 0.1 * index
        if kind == "csv":
            rows = [f"{a},{'' if np.isnan(b) else b}" for a, b in zip(t, own, strict=True)]
            (folder / f"r{index:03d}.csv").write_text("\n".join(["t,valence", *rows]) + "\n")
        else:
            np.savez(folder / f"r{index:03d}.npz", t=t, valence=own)
    return with_columns(folder, ratings=[f"r{index:03d}.{kind}" for index in range(24)], **columns)


T = np.arange(0, 4.01, 0.25)
V = np.where(T < 2, T, 10 * T)


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_continuous_ratings_become_the_mean_of_each_interval(tmp_path: Path, kind: str) -> None:
    values = values_of(annotated(tmp_path, T, V, kind), targets=["valence"])
    first, second = V[T < 2].mean(), V[T >= 2].mean()  # the last moment, 4 s, belongs to the last interval
    assert values["t000"] == [[pytest.approx(first)], [pytest.approx(second)]]
    assert values["t007"] == [[pytest.approx(first + 0.7)], [pytest.approx(second + 0.7)]]


def test_ratings_that_are_missing_are_left_out_of_the_mean_and_an_interval_without_any_is_not_rated(
    tmp_path: Path,
) -> None:
    v = np.where(T < 2, np.nan, V)
    v[-3] = np.nan
    values = values_of(annotated(tmp_path, T, v), targets=["valence"])
    assert np.isnan(values["t000"][0][0])
    assert values["t000"][1] == [pytest.approx(np.nanmean(v))]
    notices = opened(tmp_path, targets=["valence"]).notices
    assert "valence is not rated in 24 of 48 intervals: these are not scored" in notices


def test_ratings_on_another_clock_are_shifted_and_those_outside_are_counted(tmp_path: Path) -> None:
    t = 100 + np.arange(-1, 5, 0.5)
    folder = annotated(tmp_path, t, np.arange(12.0), t0_ratings_s=[100.0] * 24)
    assert values_of(folder, targets=["valence"])["t000"] == [
        [3.5],
        [np.mean([6, 7, 8, 9])],
    ]  # 4 s is outside
    (notice,) = opened(folder, targets=["valence"]).notices
    assert notice == "96 of 288 ratings lie outside their trials and are not used"


def test_ratings_of_another_time_are_refused(tmp_path: Path) -> None:
    """Milliseconds, and another clock."""
    text = said(annotated(tmp_path, 1000 * T + 5000, V), targets=["valence"])
    assert "none of 17 ratings lies in the trial: they last from 5000 to 9000 s, the trial from 0 to 4 s" in text


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ("t,valence\n0,1\n0,2\n", "its times t do not rise"),
        ("t,valence\n1,1\n0.5,2\n", "its times t do not rise"),
        ("t,valence\n0,calm\n", "r.csv:2: `calm` is no number"),
        ("t,valence\n0\n", "r.csv:2: too few cells"),
        ("t,valence\n0,inf\n", "r.csv:2: `inf` is no number"),
        ("time,valence\n0,1\n", "without the columns t [it has time, valence]"),
        ("t,valence\n0,\n1,nan\n", "no time is rated"),
        ("t,valence\n", "holds no rating"),
        ("", "without the columns t, valence"),
    ],
)
def test_a_file_of_ratings_with_a_fault_is_named(tmp_path: Path, rows: str, what: str) -> None:
    folder = annotated(tmp_path, T, V)
    (folder / "r.csv").write_text(rows)
    edited(folder / "manifest.csv", "r003.csv", "r.csv")
    assert what in said(folder, targets=["valence"])


def test_faults_of_numbers_are_named_all_at_once(tmp_path: Path) -> None:
    cells: list[Any] = list(NUMBERS)
    cells[2], cells[4], cells[6] = "high", "3|4|5", ""
    text = said(rated(tmp_path, arousal=["1|2"] * 24), targets=["valance"])
    assert "no column is called valance, which `data.targets` names [did you mean `valence`?]" in text
    text = said(with_columns(native(tmp_path / "b"), valence=cells), targets=["valence"])
    assert "manifest.csv:4: valence is `high`, no number" in text
    assert "manifest.csv:8: nothing of the trial is rated" in text or "1 numbers for each target" in text
    assert "manifest.csv:6: 3 numbers for each target, the trial has 2 intervals" in text


def test_two_targets_of_another_count_and_two_sources_of_one_number_are_refused(tmp_path: Path) -> None:
    text = said(rated(tmp_path / "a", arousal=["1|2"] * 24), targets=["valence", "arousal"])
    assert "another count of numbers for each target: 1 of valence, 2 of arousal" in text
    folder = annotated(tmp_path / "b", T, V, valence=NUMBERS)
    assert "valence stands in the manifest and is asked of r000.csv too" in said(folder, targets=["valence"])


def test_a_constant_and_a_code_for_missing_are_refused(tmp_path: Path) -> None:
    """-999 among ratings of 1 to 9 is nobody's rating, and would be learned as one."""
    (one,) = problems(with_columns(native(tmp_path / "a"), valence=[3] * 24), targets=["valence"])
    assert one.what == "valence is 3 wherever it is rated"
    cells = [-999 if index in (3, 5) else number for index, number in enumerate(NUMBERS)]
    (one,) = problems(with_columns(native(tmp_path / "b"), valence=cells), targets=["valence"])
    assert one.what == "valence is -999 2 times, all others are 1 to 9"
    sound = with_columns(native(tmp_path / "c"), valence=[index / 10 - 1 for index in range(24)])  # -1 is one of them
    assert values_of(sound, targets=["valence"])["t000"] == [[-1.0]]


def test_labels_that_are_numbers_ask_what_is_meant_and_both_answers_work(tmp_path: Path) -> None:
    """Row 7 of the cases: 16 different valences were 16 classes."""
    native(tmp_path, trials_of(change=lambda one, index: one.update(label=str(NUMBERS[index % 13]))))
    (one,) = problems(tmp_path)
    assert "13 different numbers as labels" in one.what
    assert "data.targets: [label]" in one.hint
    assert "data.numbers_are_classes: true" in one.hint
    assert opened(tmp_path, targets=["label"]).spec.task == "values"
    assert opened(tmp_path, numbers_are_classes=True).spec.classes == 13


def test_numbers_need_no_column_label(tmp_path: Path) -> None:
    folder = rated(tmp_path)
    text = (folder / "manifest.csv").read_text().replace(",label,", ",session_label,")
    (folder / "manifest.csv").write_text(text)
    data = opened(folder, targets=["valence"])
    means = {name: float(split.labels.mean()) for name, split in data.splits.items()}
    assert max(means.values()) - min(means.values()) < 2.0  # every third of the ratings in every split


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"sampling": "balanced"}, "`sampling: balanced` is of classes"),
        ({"numbers_are_classes": True}, "`targets` are numbers"),
        ({"layout": "eav"}, "the layout eav has none"),
        ({"layout": "seed_dv"}, "the layout seed_dv has none"),
        ({"metric": "bits_per_label"}, "metric bits_per_label scores labels"),
        ({"targets": ["valence", "valence"]}, "a target stands there twice"),
    ],
)
def test_what_does_not_go_with_numbers_is_refused(options: dict[str, Any], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        TrialsConfig(path="x", **{"targets": ["valence"], **options})


def test_classes_are_not_scored_as_numbers() -> None:
    with pytest.raises(ValueError, match="metric bits_per_value scores values"):
        TrialsConfig(path="x", metric="bits_per_value")


def test_another_rating_is_another_fingerprint(tmp_path: Path) -> None:
    folder = annotated(tmp_path, T, V)
    before = opened(folder, targets=["valence"]).fingerprint
    edited(folder / "r003.csv", "0.5,", "0.6,")
    again = opened(folder, targets=["valence"])
    assert again.fingerprint == before  # the mean of the interval is the same: 0.6 is another time in it
    edited(folder / "r003.csv", "0.25,0.55", "0.25,0.95")
    assert opened(folder, targets=["valence"]).fingerprint != before


def test_a_number_that_is_constant_in_the_training_split_is_refused(tmp_path: Path) -> None:
    data = opened(native(tmp_path / "a"))
    first = data.splits["test"].trial_ids[0]
    cells = [9 if f"t{index:03d}" == first else 3 for index in range(24)]
    folder = with_columns(native(tmp_path / "b"), label_of_it=cells)
    with pytest.raises(AblateError, match="never differs there"):
        TrialsConfig(path=str(folder), targets=("label_of_it",)).open(CPU)


def test_a_manifest_of_mne_files_has_targets_too(tmp_path: Path) -> None:
    folder = mne_folder(tmp_path)
    with_columns(folder, valence=[f"{index}|{index + 0.5}" for index in range(16)])
    values = values_of(folder, targets=["valence"], **SMALL_FILM)
    assert values["s0_t3"] == [[3], [3.5]]
    edited(folder / "manifest.csv", "0|0.5", "0|x")
    assert "valence is `x`, no number" in said(folder, targets=["valence"], **SMALL_FILM)


def test_info_tells_what_is_rated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ablate.cli.screen.table.trials import print_info
    from ablate.data.trials.info import trials_info

    info = trials_info(TrialsConfig(path=str(rated(tmp_path)), targets=("valence",)))
    (one,) = info.targets
    assert (one.rated, one.least, one.most) == (24, 1.0, 9.0)
    assert (one.mean, one.sd) == pytest.approx((np.mean(NUMBERS), np.std(NUMBERS)))
    assert sum(sum(subject.split_trials) for subject in info.subjects) == 24
    print_info(info)
    assert "valence: a number, rated 24 times, 1 to 9, mean 5" in capsys.readouterr().out


def test_the_layout_of_eav_says_that_it_has_no_numbers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="columns of a manifest"):
        opened(eav(tmp_path), layout="eav", targets=["valence"])
