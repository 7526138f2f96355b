"""The synthetic world: what it claims of its movie, eye, behaviour and units holds, and it is made once, whole, the
same every time."""

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ablate.data import SyntheticV1Config
from ablate.data.survey import survey
from ablate.data.synthetic.behavior import behavior_columns, raised_cosines
from ablate.data.synthetic.eye import REACH, eye_position
from ablate.data.synthetic.make import make_session, materialise, world_key
from ablate.data.synthetic.movie import _in_front, make_movie
from ablate.data.synthetic.units import make_units, world_rates
from ablate.data.synthetic.world import WorldConfig
from ablate.errors import AblateError

CPU = torch.device("cpu")
SMALL = {
    "sessions": 2,
    "units": 6,
    "frames": 3000,
    "height": 16,
    "width": 16,
    "behaviors": 10,
    "window": 32,
    "warmup": 8,
}
RATE = 120.0


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def small_world(**changes: object) -> WorldConfig:
    return WorldConfig(**{"sessions": 1, "units": 8, "frames": 4000, "height": 16, "width": 16, **changes})


def bits_per_spike(rates: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Expected score of a model's rates when spikes are Poisson with the true rates."""
    null = rates.mean(0)
    return (rates * np.log(model / null) - model + null).sum(0) / np.log(2) / rates.sum(0)


def test_the_same_configuration_makes_the_same_recording_and_another_seed_another() -> None:
    first, second, other = (make_session(small_world(seed=seed), 0) for seed in (0, 0, 1))
    for name in ("stimulus", "spikes", "behavior", "rates"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))


def test_sessions_differ_and_the_first_ones_do_not_depend_on_how_many_follow() -> None:
    few, many = small_world(sessions=2), small_world(sessions=5)
    assert not np.array_equal(make_session(few, 0).stimulus, make_session(few, 1).stimulus)
    np.testing.assert_array_equal(make_session(few, 1).spikes, make_session(many, 1).spikes)


def test_spikes_are_poisson_with_the_true_rates() -> None:
    recording = make_session(small_world(frames=20_000), 0)
    assert recording.rates is not None
    spikes, rates = recording.spikes.astype(float), recording.rates.astype(float)
    z = (spikes.sum(0) - rates.sum(0)) / np.sqrt(rates.sum(0))
    assert np.abs(z).max() < 4
    dispersion = ((spikes - rates) ** 2 / rates).mean(0)
    np.testing.assert_allclose(dispersion, 1, atol=0.15)


def test_rates_and_the_best_attainable_score_are_those_of_a_cortex() -> None:
    recording = make_session(small_world(units=20, frames=12_000, height=51, width=51), 0)
    assert recording.rates is not None
    hertz = recording.rates.mean(0) * RATE
    assert (hertz > 3).all()
    assert (hertz < 30).all()
    bits = bits_per_spike(recording.rates, recording.rates)
    assert 0.5 < bits.mean() < 1.5
    assert (bits > 0.2).all()


def test_behaviour_explains_a_noticeable_share_of_the_attainable_score() -> None:
    world = small_world(units=20, frames=12_000, behaviors=42)
    eye = eye_position(generator(1), world.frames, RATE)
    movie = make_movie(generator(2), eye, 16, 16, RATE)
    behavior, names = behavior_columns(eye, 42, RATE)
    units = make_units(generator(3), world, 20, names)
    rates = world_rates(units, world, movie, behavior).true
    blind_units = replace(units, behavior_weights=0 * units.behavior_weights)
    blind = world_rates(blind_units, world, movie, behavior).true
    blind *= rates.mean(0) / blind.mean(0)
    lost = 1 - bits_per_spike(rates, blind).mean() / bits_per_spike(rates, rates).mean()
    assert 0.04 < lost < 0.4


def test_rates_see_only_the_past_of_the_movie_and_of_behaviour() -> None:
    world = small_world(units=4, frames=600)
    eye = eye_position(generator(1), 600, RATE)
    movie = make_movie(generator(2), eye, 16, 16, RATE)
    behavior, names = behavior_columns(eye, 42, RATE)
    units = make_units(generator(3), world, 4, names)

    def shape_of(stimulus: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Rates up to a factor: their mean over the whole recording is set, which is no causal path."""
        rates = world_rates(replace(units, mean_rate=units.mean_rate * 1e-6), world, stimulus, columns).true
        floor = 0.12 * units.mean_rate * 1e-6
        drive = rates[:400].astype(float) - floor
        return drive / drive.sum(0)

    future = movie.copy()
    future[400:] = 255 - future[400:]
    np.testing.assert_allclose(shape_of(future, behavior), shape_of(movie, behavior), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 100, 1 << 18])
def test_of_discs_that_overlap_the_last_is_in_front(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Painted disc after disc, as the words say; whatever is looked at together."""
    monkeypatch.setattr("ablate.data.synthetic.movie.AT_ONCE", at_once)
    random, shape = generator(), (20, 31)
    centers, radii = random.random((40, 2)) * shape, random.uniform(0.5, 8, 40)
    painted = np.full(shape, -1)
    for disc, ((y, x), radius) in enumerate(zip(centers, radii, strict=True)):
        painted[(np.arange(20)[:, None] - y) ** 2 + (np.arange(31) - x) ** 2 <= radius**2] = disc
    assert (painted == -1).any()
    np.testing.assert_array_equal(_in_front(centers, radii, shape), painted.ravel())


def test_the_movie_has_a_natural_spectrum_and_scene_cuts() -> None:
    movie = make_movie(generator(0), np.zeros((3000, 2)), 64, 64, RATE).astype(float)
    frames = movie[::100] - movie[::100].mean((1, 2), keepdims=True)
    window = np.hanning(64)[:, None] * np.hanning(64)
    power = (np.abs(np.fft.fft2(frames * window)) ** 2).mean(0)[0, 2:24]
    slope = np.polyfit(np.log(np.arange(2, 24)), np.log(power), 1)[0]
    assert -3.2 < slope < -1.2  # power of natural images falls with the square of frequency
    cuts = (np.abs(np.diff(movie, axis=0)).mean((1, 2)) > 12).sum()
    assert 5 < cuts < 60


@pytest.mark.parametrize("size", [8, 16, 51])
def test_a_movie_of_any_size_has_the_amplitude_spectrum_of_natural_images(size: int) -> None:
    """At 8 x 8 it once fell as f^-1.6: the smallest leaf was wider than a pixel."""
    movie = make_movie(generator(0), np.zeros((12_000, 2)), size, size, RATE).astype(float)[::20]
    frames = movie - movie.mean((1, 2), keepdims=True)
    power = (np.abs(np.fft.fft2(frames * np.hanning(size)[:, None] * np.hanning(size))) ** 2).mean(0)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    within = (frequency >= 2 / size) & (frequency <= 0.5)
    slope = np.polyfit(np.log(frequency[within]), 0.5 * np.log(power[within]), 1)[0]
    assert -1.35 < slope < -0.75


def test_the_floor_is_what_contrast_and_behaviour_explain_and_far_below_the_truth() -> None:
    recording = make_session(small_world(units=20, frames=12_000, behaviors=42), 0)
    assert recording.rates is not None
    assert recording.floor_rates is not None
    floor = bits_per_spike(recording.rates, recording.floor_rates).mean()
    assert 0.05 < floor < 0.35 * bits_per_spike(recording.rates, recording.rates).mean()


def test_the_floor_does_not_depend_on_where_a_unit_looks_within_its_neighbourhood() -> None:
    """Gabors turned and shifted in phase are other receptive fields; the contrast around them is the same."""
    world = small_world(units=6, frames=800)
    eye = eye_position(generator(1), 800, RATE)
    movie = make_movie(generator(2), eye, 16, 16, RATE)
    behavior, names = behavior_columns(eye, 42, RATE)
    units = make_units(generator(3), world, 6, names)
    other = replace(units, even=units.odd, odd=-units.even)
    first, second = (world_rates(drawn, world, movie, behavior) for drawn in (units, other))
    np.testing.assert_allclose(first.floor, second.floor)
    simple = ~units.complex_cell
    assert not np.allclose(first.true[:, simple], second.true[:, simple], rtol=0.1)


def test_the_eye_drifts_and_jumps_but_stays_near_fixation() -> None:
    eye = eye_position(generator(0), 24_000, RATE)
    assert np.abs(eye).max() <= REACH
    speed = np.linalg.norm(np.diff(eye, axis=0), axis=1) * RATE
    fast = speed > 100  # pixels a second; drift is 30
    assert 0.5 < np.count_nonzero(np.diff(fast.astype(int)) == 1) / 200 < 2.5  # microsaccades a second
    assert np.median(speed) < 40


@pytest.mark.parametrize("columns", [0, 1, 2, 5, 10, 42])
def test_any_number_of_behaviour_columns_is_made_and_named(columns: int) -> None:
    rows, names = behavior_columns(eye_position(generator(0), 500, RATE), columns, RATE)
    assert rows.shape == (500, columns)
    assert len(set(names)) == columns
    recording = make_session(small_world(behaviors=columns, frames=500), 0)
    assert recording.behaviors == columns


def test_raised_cosines_tile_the_past_and_sum_to_one() -> None:
    kernels = raised_cosines(10, RATE)
    assert kernels.shape == (10, 31)
    np.testing.assert_allclose(kernels.sum(1), 1)
    assert (np.diff(np.argmax(kernels, axis=1)) >= 0).all()
    assert (kernels.sum(0) > 0).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 16), (8, 5), (36, 64)])
def test_every_size_of_stimulus_is_made(height: int, width: int) -> None:
    recording = make_session(small_world(height=height, width=width, frames=400), 0)
    assert recording.stimulus.shape == (400, height, width)
    assert recording.rates is not None
    assert np.isfinite(recording.rates).all()


@pytest.mark.parametrize(
    "changes", [{"complex_fraction": 0.0}, {"complex_fraction": 1.0}, {"adaptation": 0.0}, {"behavior_gain": 0.0}]
)
def test_every_knob_changes_the_rates_and_nothing_of_the_movie(changes: dict[str, float]) -> None:
    plain, turned = make_session(small_world(), 0), make_session(small_world(**changes), 0)
    np.testing.assert_array_equal(plain.stimulus, turned.stimulus)
    assert not np.array_equal(plain.rates, turned.rates)  # type: ignore[arg-type]


def test_the_description_needs_no_data_and_agrees_with_what_is_opened() -> None:
    config = SyntheticV1Config(**{**SMALL, "units": (3, 5)})
    told, opened = config.describe(), config.open(CPU).spec
    assert [session.units for session in told.sessions] == [3, 5]
    for a, b in zip(told.sessions, opened.sessions, strict=True):
        assert replace(a, mean_rate=b.mean_rate) == b
    assert (told.window, told.lags) == (opened.window, opened.lags)
    assert config.summary() == "synthetic_v1, 2 sessions, 8 units"


def test_only_the_world_and_not_the_windows_keys_the_cache() -> None:
    config = SyntheticV1Config(**SMALL)
    assert world_key(config.world) == world_key(SyntheticV1Config(**{**SMALL, "window": 48, "fraction": 0.5}).world)
    assert world_key(config.world) != world_key(SyntheticV1Config(**{**SMALL, "seed": 1}).world)
    first = materialise(config.world)
    before = (first / "v1_00" / "spikes.npy").stat().st_mtime_ns
    assert materialise(config.world) == first
    assert (first / "v1_00" / "spikes.npy").stat().st_mtime_ns == before


def test_makers_at_the_same_time_leave_one_whole_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    world = small_world(sessions=2, frames=1000)
    with ThreadPoolExecutor(3) as pool:  # each opens the lock anew, as processes would
        folders = set(pool.map(materialise, [world] * 3))
    (folder,) = folders
    assert sorted(place.name for place in folder.iterdir()) == ["v1_00", "v1_01"]
    assert [place for place in tmp_path.iterdir() if place.is_dir()] == [folder]


@pytest.mark.slow
def test_processes_that_make_at_the_same_time_leave_one_whole_world(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        folders = pool.map(_make, [str(tmp_path)] * 3)
    assert len(set(folders)) == 1
    assert [place for place in tmp_path.iterdir() if place.is_dir()] == [Path(folders[0])]


def _make(folder: str) -> str:
    os.environ["ABLATE_CACHE"] = folder
    return str(materialise(small_world(sessions=2, frames=1500)))


def test_a_maker_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ablate.data.synthetic.make.write_recording", full)
    with pytest.raises(AblateError, match="could not be written: No space left on device") as caught:
        materialise(small_world(frames=300))
    assert "ABLATE_CACHE" in caught.value.problems[0].hint
    assert [place for place in tmp_path.iterdir() if place.is_dir()] == []


def test_a_rehearsal_is_a_smaller_world() -> None:
    config = SyntheticV1Config(sessions=30, units=tuple(range(1, 31)), frames=33_000, window=300, warmup=60).rehearsal()
    assert (config.sessions, config.units, config.frames, config.window, config.warmup) == (2, (1, 2), 6000, 48, 16)
    assert config.min_spikes == 1  # a rehearsal has few spikes, and every unit must still be scored
    guarded = SyntheticV1Config(window=25, warmup=8, guard=300).rehearsal()
    assert (guarded.window, guarded.guard) == (25, 48)


def test_units_of_sessions_must_be_told_for_each() -> None:
    with pytest.raises(ValueError, match="units has 2 numbers for 3 sessions"):
        SyntheticV1Config(sessions=3, units=(1, 2))


def test_info_counts_what_is_there() -> None:
    config = SyntheticV1Config(**SMALL)
    info = survey(config.open(torch.device("cpu")))
    assert [session.name for session in info.sessions] == ["v1_00", "v1_01"]
    session = info.sessions[0]
    assert sum(session.frames.values()) == 3000
    assert session.repeated == 0
    assert len(session.behaviors) == 10
    recording = config.open(CPU).recordings[0]
    for unit, told in enumerate(session.units):
        assert told.spikes == recording.spikes[:, unit].sum()
        assert told.rate_hz == pytest.approx(recording.spikes[:, unit].mean() * RATE)
        assert told.attainable is not None
