"""What a report says of classes: accuracies beside bits, who is taken for whom, subject by subject."""

from collections.abc import Mapping
from typing import Any

import pytest
from planted import Planted

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.study import analyse
from ablate.report.columns import all_columns, columns
from ablate.report.content.head import landmarks
from ablate.report.content.table.classes import confusions, subjects
from ablate.result.record import SessionScore

Matrix = tuple[tuple[int, ...], ...]
CHANCE: Matrix = ((32, 0), (8, 0))
SEEING: Matrix = ((30, 2), (2, 6))


def subject(name: str, accuracy: float, entries: int = 20) -> SessionScore:
    more = {"accuracy": accuracy, "balanced_accuracy": accuracy / 2, "macro_f1": accuracy / 4}
    return SessionScore(name=name, entries=entries, excluded=0, mean=accuracy, pooled=0.0, weight=1.0, **more)


def study(matrices: Mapping[str, Matrix]) -> StudyAnalysis:
    """Two seeds of each variant, all with its matrix; the second seed's balanced accuracy is .1 higher."""
    planted = Planted(
        {name: {0: 0.1 * rank, 1: 0.1 * rank + 0.01} for rank, name in enumerate(matrices, 1)},
        seeds=(0, 1),
        metric="bits_per_label",
        accuracy=0.8,
    )
    records = []
    for record in planted.records():
        assert record.test is not None
        more: dict[str, Any] = {
            "confusion": matrices[record.variant],
            "class_names": ("calm", "happy"),
            "balanced_accuracy": 0.5 + 0.1 * record.seed,
            "macro_f1": 0.4,
            "calibration_error": 0.05,
            "sessions": (subject("anna", 0.7), subject("bert", 0.9), subject("trained on", 0.0, entries=0)),
        }
        records.append(record.model_copy(update={"test": record.test.model_copy(update=more)}))
    return analyse(planted.manifest(), records)


BOTH = {"baseline": CHANCE, "gru": SEEING}


def test_balanced_accuracy_macro_f1_and_calibration_stand_beside_the_score() -> None:
    analysis = study(BOTH)
    row = analysis.row("gru")
    found = {column.heading: column.cell(row) for column in columns(analysis)}
    wanted = {"accuracy": "0.800", "balanced accuracy": "0.550", "macro F1": "0.400", "calibration error": "0.050"}
    assert wanted.items() <= found.items()
    fields = {name: value for column in all_columns(analysis) for name, value in column.fields(row).items()}
    assert (fields["balanced_accuracy"], fields["macro_f1"]) == (pytest.approx(0.55), pytest.approx(0.4))


def test_a_score_of_the_majority_class_is_named_as_such() -> None:
    assert dict(landmarks(study(BOTH)))["most frequent class alone"] == "accuracy 0.800, balanced 0.500"


def test_the_confusion_matrices_of_baseline_and_winner_are_counted_over_the_seeds() -> None:
    baseline, best = confusions(study(BOTH))
    assert baseline.headings == ("label", "calm", "happy", "all", "recall")  # type: ignore[union-attr]
    assert baseline.rows == (  # type: ignore[union-attr]
        ("calm", "64", "0", "64", "100 %"),
        ("happy", "16", "0", "16", "0 %"),
        ("all", "80", "0", "80", "80 %"),
        ("precision", "80 %", "-", "", ""),
    )
    assert best.rows[1] == ("happy", "4", "12", "16", "75 %")  # type: ignore[union-attr]
    assert best.title == "What `gru` takes for what"  # type: ignore[union-attr]


def test_subjects_stand_one_a_line_without_those_that_were_only_trained_on() -> None:
    (table,) = subjects(study(BOTH))
    assert [row[:2] for row in table.rows] == [("anna", "20"), ("bert", "20")]  # type: ignore[union-attr]
    assert table.rows[0][2:6] == ("0.700", "0.700", "0.350", "0.175")  # type: ignore[union-attr]


def test_a_study_of_spikes_says_nothing_of_classes() -> None:
    planted = Planted({"baseline": {0: 0.1, 1: 0.2}}, seeds=(0, 1))
    analysis = analyse(planted.manifest(), planted.records())
    assert [*confusions(analysis), *subjects(analysis)] == []
    assert not {"balanced accuracy", "macro F1"} & {column.heading for column in columns(analysis)}
