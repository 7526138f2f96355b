"""A small study of every format, from the lab's own files to the ranked rows; bits or correlation by what was read."""

import sys
from pathlib import Path

import pytest
from lab_files import LIBRARY, WRITERS, world

sys.path.insert(0, str(Path(__file__).parents[2]))

from tiny_study import request_of

from ablate.data.formats.visioncore import read_visioncore
from ablate.data.recording import write_recording
from ablate.errors import AblateError
from ablate.report.writer.frames import Results
from ablate.study.flow import run_study
from ablate.study.setup.facts import data_sets

RECIPE = """\
question: Does a GLM of {kind} learn?
data: {{type: {kind}, path: {path}, {options}}}
baseline: {{type: glm, lags: {lags}}}
training: {{steps: 120, batch_size: 16, learning_rate: 1.0e-2, warmup_steps: 5, evaluate_every: 40}}
patches:
  slow: {{title: a tenth of the learning rate, training: {{learning_rate: 1.0e-3}}}}
variants: [each]
controls: false
seeds: [0]
"""
WINDOWS = "window: 16, warmup: 8, score_every: 1, min_spikes: 1"
OPTIONS = {
    "sensorium2022": "sessions_per_batch: 1",
    "sensorium2023": WINDOWS.replace("min_spikes: 1", "min_spikes: 0"),
    "nwb": f"{WINDOWS}, axes: tyx",
    "visioncore": WINDOWS,
    "openretina": WINDOWS,
    "experanto": WINDOWS,
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_small_study_of_every_format_ranks_its_variants(kind: str, tmp_path: Path) -> None:
    if kind in LIBRARY:
        pytest.importorskip(LIBRARY[kind], reason="the format's own library is not installed")
    place = WRITERS[kind](tmp_path / "lab", world(2700))
    still = kind == "sensorium2022"
    recipe = tmp_path / "lab.yaml"
    recipe.write_text(RECIPE.format(kind=kind, path=place, options=OPTIONS[kind], lags=1 if still else 4))
    end = run_study(request_of(recipe, tmp_path / "out"))
    assert not end.failures
    found = Results(end.study.store.root)
    calcium = kind.startswith("sensorium")
    assert set(found.ranking.metric) == {"correlation" if calcium else "bits_per_spike"}
    scores = found.records.set_index("variant").score
    assert scores["baseline"] > (0.2 if calcium else 0.05), "three cells follow one pixel each"
    assert scores["baseline"] > scores["slow"]


def test_data_on_the_command_line_are_taken_for_what_they_are(tmp_path: Path) -> None:
    place = WRITERS["visioncore"](tmp_path / "lab", world())
    write_recording(tmp_path / "ours", read_visioncore(place))
    recipe = tmp_path / "lab.yaml"
    recipe.write_text("data: {type: synthetic_v1}\nbaseline: {type: glm}\n")
    assert data_sets(request_of(recipe, tmp_path, data=(place,)))[0] == "data.type=visioncore"
    assert data_sets(request_of(recipe, tmp_path, data=(tmp_path / "ours",)))[0] == "data.type=recordings"
    with pytest.raises(AblateError, match="these are of different formats: recordings, visioncore"):
        data_sets(request_of(recipe, tmp_path, data=(place, tmp_path / "ours")))
