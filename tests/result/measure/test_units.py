"""The scores of `units.json` alone are those of the whole file, and what is no such file is told as ever."""

import json
from pathlib import Path

import pytest

from ablate.disk.read import parse_json
from ablate.errors import AblateError
from ablate.result.measure.units import parse_scores

WHERE = Path("units.json")
SESSION = {"name": "one", "entry": [0, 2], "value": [0.5, None], "blocks": [0.1, 0]}
REPEATS = {"name": "one", "source": "test", "bin_rate_hz": 60.0, "showings": 3, "bins": 9, "mean": {"fev": None}}


def test_gains_units_of_repeats_and_what_was_said_are_left_out() -> None:
    whole = {
        "metric": "bits_per_spike",
        "sessions": [{**SESSION, "gain": [1.0, 2.0], "weight": [3, 4]}],
        "repeats": [{**REPEATS, "units": [{"unit": 0}], "psth": []}],
        "numbers": [{"name": "valence"}],
    }
    found = parse_scores(json.dumps(whole).encode(), WHERE)
    assert found == {"sessions": [SESSION], "repeats": [REPEATS]}


@pytest.mark.parametrize(
    "content",
    [
        [1],
        {"sessions": {"one": [0.5]}},
        {"sessions": [{"name": 3, "entry": [0], "value": ["0.5"]}]},
        {"sessions": [{"name": "one", "value": [0.5], "weight": [2]}]},
        {"sessions": [SESSION], "repeats": {"one": 1}},
    ],
)
def test_content_of_another_form_comes_whole(content: object) -> None:
    data = json.dumps(content).encode()
    assert parse_scores(data, WHERE) == parse_json(data, WHERE) == content


@pytest.mark.parametrize("text", ['{"sessions": [', "[" * 100_000, "NaN", '{"sessions": [{"value": [NaN]}]}'])
def test_damage_is_told(text: str) -> None:
    with pytest.raises(AblateError, match=r"is damaged|nested too deep"):
        parse_scores(text.encode(), WHERE)
