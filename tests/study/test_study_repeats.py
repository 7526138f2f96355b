"""A study on a recording with repeats: what they say is kept with the runs, and shown without weights or data."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_study import recipe_text, request_of

from ablate.analysis.row.files import files_of
from ablate.analysis.study import analyse
from ablate.data.recording import Recording, write_recording
from ablate.errors import AblateError
from ablate.report import render
from ablate.report.content import compose
from ablate.report.writer.page import page
from ablate.result import Store
from ablate.result.measure.repeats import read_means, read_repeats
from ablate.result.record import ReportedRun
from ablate.study.flow import run_study

SHOWINGS, BINS = 12, 200
GLM = "baseline: {type: glm, lags: 4}\n"
DATA = """\
data: {{type: recordings, path: {path}, window: 16, warmup: 8, score_every: 4, min_spikes: 1, split: {{blocks: 1}}}}
"""


def rate_of(film: np.ndarray) -> np.ndarray:
    """Expected spikes a bin: the exponential of one pixel, a frame ago."""
    pixel = (film[:, 0, 0].astype(float) - 128) / 74
    return np.stack([0.3 * np.exp(np.roll(pixel, 1)), np.full(len(film), 0.3)], axis=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("repeats")
    random = np.random.default_rng(0)
    film, again = (random.integers(0, 256, (frames, 4, 4), dtype=np.uint8) for frames in (2000, BINS))
    recording = Recording(
        name="rec",
        bin_rate_hz=60.0,
        stimulus=film,
        spikes=random.poisson(rate_of(film)).astype(np.uint8),
        repeats=random.poisson(rate_of(again), (SHOWINGS, BINS, 2)).astype(np.uint8),
        repeat_stimulus=again,
    )
    write_recording(folder / "rec", recording)
    recipe = folder / "repeats.yaml"
    training = "training: {steps: 150, batch_size: 8, learning_rate: 0.02, warmup_steps: 5, evaluate_every: 50}\n"
    recipe.write_text(
        recipe_text(name="repeats", data=DATA.format(path=folder / "rec"), baseline=GLM, training=training)
    )
    run_study(request_of(recipe, folder / "out"))
    shutil.rmtree(folder / "rec")
    return Store(folder / "out" / "repeats")


def test_every_run_keeps_what_repeats_say_of_it(store: Store) -> None:
    keys = store.keys()
    assert len(keys) == 2
    for key in keys:
        (session,) = read_repeats(store.units(key))
        assert (session.showings, session.bins, session.source) == (SHOWINGS, BINS - 15, "repeats.npy")
        assert [unit.clear for unit in session.units] == [True, False], "only the first unit sees"
        assert session.mean.fev is not None
        assert 0.3 < session.mean.fev.value < 1


def test_the_report_needs_neither_weights_nor_data(store: Store) -> None:
    packed = Store(store.root.parent / "packed")
    packed.root.mkdir()
    store.pack()
    for name in ("records.jsonl", "study.json"):
        shutil.copy(store.root / name, packed.root / name)
    analysis = analyse(packed.manifest(), packed.records(), units=packed.units, history=packed.history)
    assert analysis.repeats is not None
    assert "What is explained of the explainable" in render(analysis, "table", details=True, store=packed)
    html = page(compose(analysis, packed))
    assert 'id="figure-psth"' in html
    assert "of the variance explainable" in html


def test_packed_repeats_keep_means_and_pictures_as_they_were_and_each_units_values_to_five_digits(store: Store) -> None:
    keys = store.keys()
    assert keys
    for key in keys:
        (session,) = read_repeats(store.units(key))
        columns = session.in_columns()
        (packed,) = read_repeats({"repeats": [json.loads(json.dumps(columns))]})
        assert packed.changed(units=session.units) == session
        for unit, kept in zip(session.units, packed.units, strict=True):
            assert (kept.unit, kept.clear) == (unit.unit, unit.clear)
            for (name, one), (_, held) in zip(unit.values, kept.values, strict=True):
                assert (held is None) == (one is None), name
                if one is not None:
                    assert (held.value, held.low, held.high) == (pytest.approx(one.value, rel=1e-4), None, None)
        assert packed.in_columns() == columns, "packed again it is the same"


def test_what_a_report_reads_of_a_file_tells_the_same_as_the_whole_file(store: Store) -> None:
    files, records = files_of(store), store.records()
    whole = analyse(store.manifest(), records, units=store.units, history=store.history)
    assert whole.repeats is not None
    assert whole.repeats.pictures
    assert analyse(store.manifest(), store.scan(ReportedRun).records.values(), **files) == whole
    for key in (record.key for record in records):
        content = store.units(key, scores_alone=True)
        assert read_repeats(content) == (), "units and pictures are not read"
        for means, one in zip(read_means(content), read_repeats(store.units(key)), strict=True):
            assert dict(means) == {name: value for name, value in one if name not in ("units", "psth")}


@pytest.mark.parametrize(
    "units", [{"unit": [0]}, {"unit": [0], "clear": [True, False]}, {"unit": 0}, {"unit": [0], "clear": [1], "x": [2]}]
)
def test_damaged_columns_count_as_no_repeats(store: Store, units: dict[str, object]) -> None:
    (session,) = read_repeats(store.units(store.keys()[0]))
    assert read_repeats({"repeats": [{**session.in_columns(), "units": units}]}) == ()


def test_the_raster_in_the_page_is_the_recordings_own(store: Store) -> None:
    key = store.keys()[0]
    (session,) = read_repeats(store.units(key))
    (psth,) = session.psth
    assert psth.unit == 0
    assert len(psth.raster) == SHOWINGS
    spikes = np.array([np.bincount(row, minlength=len(psth.average)) for row in psth.raster])
    np.testing.assert_allclose(spikes.mean(0), psth.average, rtol=1e-3)
    assert len(psth.predicted) == len(psth.average) == 120, "two seconds at 60 Hz"


def test_fev_may_rank_and_is_refused_where_nothing_repeats(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    film, again = (random.integers(0, 256, (frames, 4, 4), dtype=np.uint8) for frames in (2000, BINS))
    spikes = random.poisson(rate_of(film)).astype(np.uint8)
    plain = Recording(name="rec", bin_rate_hz=60.0, stimulus=film, spikes=spikes)
    repeats = random.poisson(rate_of(again), (SHOWINGS, BINS, 2)).astype(np.uint8)
    write_recording(tmp_path / "plain", plain)
    write_recording(tmp_path / "again", replace(plain, repeats=repeats, repeat_stimulus=again))
    for name in ("again", "plain"):
        data = "metric: fev\n" + DATA.format(path=tmp_path / name)
        (tmp_path / f"{name}.yaml").write_text(recipe_text(name=name, data=data, baseline=GLM))
    run_study(request_of(tmp_path / "again.yaml", tmp_path / "out"))
    store = Store(tmp_path / "out" / "again")
    analysis = analyse(store.manifest(), store.records(), units=store.units, history=store.history)
    assert (analysis.metric, analysis.unit) == ("fev", "FEV")
    for record in store.records():
        (session,) = read_repeats(store.units(record.key))
        assert record.test is not None
        assert record.validation is not None
        assert session.mean.fev is not None
        assert record.test.headline == pytest.approx(session.mean.fev.value)
        assert record.validation.metric == "correlation", "validation holds no repeats"
    with pytest.raises(AblateError, match="shows no stimulus twice in its test split"):
        run_study(request_of(tmp_path / "plain.yaml", tmp_path / "out"))


def test_damaged_repeats_count_as_none() -> None:
    assert read_repeats({"repeats": [{"name": 3}]}) == ()
    assert read_repeats({"sessions": []}) == ()
    assert read_repeats(None) == ()
