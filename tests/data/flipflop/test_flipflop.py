"""`flipflop`: its story, and that observers written anew here score the levels that are stated."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from ablate.data import FlipflopConfig
from ablate.data.flipflop.levels import levels
from ablate.data.flipflop.story import tell

CPU = torch.device("cpu")
A, B = 1, 2


def story_of(config: FlipflopConfig, name: str = "test", trials: int = 4000):
    return tell(config, name, trials, np.random.default_rng(3))


def walked(config: FlipflopConfig, markers: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Frame by frame, trial by trial: the lamp of each interval's label, and how sure each observer is of its guess."""
    lamps = np.zeros(markers.shape[:2], int)
    right = {name: np.zeros(markers.shape[:2]) for name in ("past_bag", "own", "own_bag")}
    for trial, clip in enumerate(markers):
        lamp, past = 0, []
        for index, interval in enumerate(clip):
            now = interval[: config.frames - config.jitter]
            for marker in interval[: config.frames - config.jitter]:
                lamp = lamp if marker == 0 else 1 - lamp if config.toggle else int(marker == A)
            lamps[trial, index] = lamp
            for marker in interval[config.frames - config.jitter :]:
                lamp = lamp if marker == 0 else 1 - lamp if config.toggle else int(marker == A)
            own = [m for m in now if m]
            for name, bag in (("past_bag", past + own), ("own_bag", own)):
                guess = 0.5 if not bag else max(bag.count(A), bag.count(B)) / len(bag)
                says = int(bag.count(A) * 2 > len(bag))
                tied = not bag or bag.count(A) * 2 == len(bag)
                assert 0.5 <= guess <= 1
                right[name][trial, index] = 0.5 if tied else float(says == lamps[trial, index])
            right["own"][trial, index] = 0.5 if not own else float(int(own[-1] == A) == lamps[trial, index])
            past += [m for m in interval if m]
    return lamps, right


@pytest.mark.parametrize(
    "knobs",
    [{}, {"absent": 0.3}, {"jitter": 2, "write": 0.3}, {"intervals": 2, "frames": 4, "write": 0.5}, {"toggle": True}],
    ids=str,
)
def test_observers_of_drawn_stories_score_the_stated_levels(knobs: dict[str, object]) -> None:
    config = FlipflopConfig.model_validate(knobs)
    story = story_of(config)
    lamps, right = walked(config, story.markers)
    assert np.array_equal(lamps, story.lamp)
    known = levels(config)
    seen = 2 * known.full - 1  # a of a m + (1 - a)(1 - m), as 2 a - 1
    for name in ("past_bag", "own", "own_bag") if not config.toggle else ():
        accuracy = 0.5 + seen * (right[name].mean() - 0.5)
        assert accuracy == pytest.approx(getattr(known, name), abs=0.01), name


def test_the_levels_of_the_default_are_those_that_were_written_down() -> None:
    known = levels(FlipflopConfig())
    stated = (0.994, 0.817, 0.761, 0.737)
    assert np.allclose((known.full, known.past_bag, known.own, known.own_bag), stated, atol=0.004)


def test_parity_is_no_secret_to_a_bag_and_one_to_the_own_interval() -> None:
    known = levels(FlipflopConfig(toggle=True))
    assert known.past_bag == known.full
    assert known.own < 0.7


def test_the_perfect_observer_of_opened_trials_reaches_the_full_level() -> None:
    data = FlipflopConfig(train_trials=20, validation_trials=20, test_trials=3000).open(CPU)
    accuracy = data.attainable_accuracy("test")
    assert accuracy == pytest.approx(levels(FlipflopConfig()).full, abs=0.003)


def test_labels_are_fair_and_neither_modality_tells_them() -> None:
    story = story_of(FlipflopConfig())
    assert abs(story.label.mean() - 0.5) < 0.02
    for one in (story.lamp, story.response):
        assert abs(np.corrcoef(one.ravel(), story.label.ravel())[0, 1]) < 0.03


def test_training_markers_are_biased_and_test_markers_fair() -> None:
    for name, share in (("train", 0.7), ("validation", 0.5), ("test", 0.5)):
        markers = story_of(FlipflopConfig(), name).markers
        assert (markers == A).sum() / (markers > 0).sum() == pytest.approx(share, abs=0.02)


def test_markers_lie_in_valid_frames_and_the_first_interval_always_has_one() -> None:
    config = FlipflopConfig(absent=0.4, jitter=1)
    story = story_of(config)
    assert not (story.markers > 0)[~story.mask].any()
    assert (story.markers[:, 0, : config.frames - 1] > 0).any(axis=1).all()
    assert abs((~story.mask[:, 1:].any(axis=2)).mean() - 0.4) < 0.02
    assert story.mask[:, 0].any(axis=1).all()


def test_a_later_frame_never_changes_an_earlier_label() -> None:
    config = FlipflopConfig(jitter=2)
    story = story_of(config, trials=200)
    changed = story.markers.copy()
    changed[:, 3, config.frames - 2 :] = A
    changed[:, 4:] = B
    assert np.array_equal(walked(config, changed)[0][:, :4], story.lamp[:, :4])


def test_pixels_show_the_same_story_as_features() -> None:
    small = {"train_trials": 8, "validation_trials": 4, "test_trials": 4}
    films, vectors = (FlipflopConfig.model_validate({**small, "mode": m}).open(CPU) for m in ("pixels", "features"))
    assert np.array_equal(films.splits["test"].labels, vectors.splits["test"].labels)
    assert films.splits["test"].frames[np.arange(4)].shape == (4, 6, 6, 3, 16, 16)
    assert films.fingerprint != vectors.fingerprint


def test_impossible_knobs_are_refused() -> None:
    with pytest.raises(ValidationError, match="jitter 6 leaves none of an interval's 6 frames"):
        FlipflopConfig(jitter=6)
