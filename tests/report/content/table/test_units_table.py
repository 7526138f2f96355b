"""Every unit's own score, as `--format units` writes it."""

from planted import BASELINE, Planted, around

from ablate.analysis.study import analyse
from ablate.report import render


def table_of(values: dict[str, list[float | None]], **fields) -> list[str]:
    """The lines of the table of a study of one seed whose runs have these scores a unit."""
    roles = {"glm": "reference"}
    planted = Planted({name: around(0.4, 0.0, seeds=1) for name in values}, roles=roles, seeds=(0,), **fields)

    def units(key: str):
        value = values[key.removesuffix("-0")]
        return {"sessions": [{"name": "retina", "entry": list(range(len(value))), "value": value}]}

    lines = render(analyse(planted.manifest(), planted.records(), units=units), "units").splitlines()
    return lines[next(place for place, line in enumerate(lines) if line.startswith("|")) :]


def test_the_baseline_stands_first_then_the_references():
    lines = table_of({BASELINE: [1.5, 1.7], "wide": [1.6, 1.9], "glm": [1.4, 1.75]})
    assert lines[:4] == [
        "| unit | baseline | glm | wide |",
        "| ---: | ---: | ---: | ---: |",
        "| 0 | 1.500 | 1.400 | 1.600 |",
        "| 1 | 1.700 | 1.750 | 1.900 |",
    ]


def test_mean_and_median_are_over_the_scored_units():
    lines = table_of({BASELINE: [0.1, None, 0.2, 0.6], "glm": [0.0, None, 0.1, 0.2]})
    assert "| mean | 0.300 | 0.100 |" in lines
    assert "| median | 0.200 | 0.100 |" in lines
    assert not any(line.startswith("| 1 |") for line in lines)


def test_it_says_on_how_many_units_the_baseline_leads():
    lines = table_of({BASELINE: [1.5, 1.7], "glm": [1.4, 1.75]})
    assert lines[-1] == "- The baseline is above \\`glm\\` on 1 of 2 units."


def test_a_study_of_trials_speaks_of_trials():
    lines = table_of({BASELINE: [0.5, 0.7], "glm": [0.4, 0.75]}, metric="bits_per_label")
    assert lines[0] == "| trial | baseline | glm |"
    assert lines[-1] == "- The baseline is above \\`glm\\` on 1 of 2 trials."


def test_a_study_without_scores_a_unit_says_so():
    planted = Planted({BASELINE: around(0.4, 0.01)})
    assert "No finished run has a score of each unit." in render(
        analyse(planted.manifest(), planted.records()), "units"
    )
