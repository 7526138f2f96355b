"""The embedded fusion benchmark: what is in it, and that its ceilings are what they are said to be."""

import math

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from scipy import integrate, stats

from ablate.data import DataConfig
from ablate.data.coincidence import CoincidenceConfig, ceiling
from ablate.data.coincidence.draw import response_template
from ablate.data.coincidence.frames import MARKER_A, MARKER_B

CPU = torch.device("cpu")


def small(**options: object) -> CoincidenceConfig:
    counts = {"train_trials": 60, "validation_trials": 20, "test_trials": 40}
    return CoincidenceConfig.model_validate({**counts, **options})


def test_closed_forms_give_the_known_numbers() -> None:
    assert round(ceiling.full_accuracy(3.0), 3) == 0.933
    assert round(ceiling.full_accuracy(5.0), 3) == 0.994
    assert round(ceiling.pooled_accuracy(5.0, 5), 3) == 0.685
    assert ceiling.full_accuracy(5.0, absent=1.0) == 0.5
    assert ceiling.full_accuracy(5.0, event_error=0.5) == 0.5
    assert ceiling.pooled_accuracy(5.0, 1) == pytest.approx(ceiling.full_accuracy(5.0))


def full_bits(d_prime: float, event_error: float, absent: float) -> float:
    """Information gain over the class prior of the full model, bits a label, by quadrature over the response seen."""

    def density(s: float) -> float:
        known = 1 / (1 + math.exp(-(d_prime * s - d_prime**2 / 2)))
        label = known * (1 - event_error) + (1 - known) * event_error
        both = 0.5 * stats.norm.pdf(s) + 0.5 * stats.norm.pdf(s, loc=d_prime)
        return float(both) * (1 - stats.entropy([label, 1 - label], base=2))

    gain, _ = integrate.quad(density, -8, d_prime + 8, limit=200, points=[d_prime / 2])
    return (1 - absent) * float(gain)


@pytest.mark.parametrize(("d_prime", "error", "absent"), [(5.0, 0.0, 0.0), (2.0, 0.1, 0.2)])
def test_the_perfect_observer_of_drawn_trials_meets_the_closed_forms(
    d_prime: float, error: float, absent: float
) -> None:
    data = small(test_trials=4000, d_prime=d_prime, event_error=error, absent=absent).open(CPU)
    accuracy = data.attainable_accuracy("test")
    assert accuracy is not None
    expected = ceiling.full_accuracy(d_prime, error, absent)
    assert abs(accuracy - expected) < 4 * np.sqrt(expected * (1 - expected) / 20_000)
    gains = data.attainable("test")
    assert gains is not None
    bits = np.concatenate(gains).sum() / np.log(2) / 20_000
    assert bits == pytest.approx(full_bits(d_prime, error, absent), abs=0.015)


def test_a_biased_event_is_so_in_training_alone_and_labels_stay_fair() -> None:
    from ablate.data.coincidence.story import tell

    config = small(train_event_bias=0.7)
    for name, share in (("train", 0.7), ("validation", 0.5), ("test", 0.5)):
        story = tell(config, name, 4000, np.random.default_rng(0))
        assert story.event.mean() == pytest.approx(share, abs=0.02)
        assert story.label.mean() == pytest.approx(0.5, abs=0.02)
    plain = small().open(CPU)
    assert np.array_equal(config.open(CPU).splits["test"].labels, plain.splits["test"].labels)


def test_label_is_event_xor_response_and_both_are_fair_coins() -> None:
    config = small(test_trials=1000)
    data = config.open(CPU)
    trials = data.splits["test"]
    template = response_template(config)
    assert np.linalg.norm(template) == pytest.approx(1)
    eeg = trials.eeg.reshape(1000, config.channels, config.intervals, -1)
    response = np.einsum("ncis,cs->ni", eeg, template) > config.d_prime / 2
    assert abs(response.mean() - 0.5) < 0.03
    assert abs((trials.labels ^ response).mean() - 0.5) < 0.03
    assert abs(np.corrcoef(response.ravel(), trials.labels.ravel())[0, 1]) < 0.06


@pytest.mark.parametrize("pads", ["end", "scattered"])
def test_the_event_is_the_order_of_two_markers_among_the_valid_frames(pads: str) -> None:
    from ablate.data.coincidence.frames import draw_markers
    from ablate.data.coincidence.story import tell

    config = small(pads=pads)
    rng = np.random.default_rng(0)
    story = tell(config, "train", 50, rng)
    markers = draw_markers(story, rng)
    assert ((markers > 0).sum(axis=2) == 2).all()
    assert not (markers > 0)[~story.mask].any()
    a, b = (markers == MARKER_A).argmax(axis=2), (markers == MARKER_B).argmax(axis=2)
    assert ((a < b) == (story.shown == 1)).all()
    assert story.mask.sum(axis=2).min() == config.min_valid
    assert story.mask.sum(axis=2).max() == config.frames


def test_pixels_show_red_and_blue_squares_and_pads_are_black() -> None:
    config = small(mode="pixels", train_trials=6)
    trials = config.open(CPU).splits["train"]
    frames = trials.frames[np.arange(6)].astype(np.int64)
    assert frames.shape == (6, 5, 6, 3, 16, 16)
    assert config.describe().frame_shape == (3, 16, 16)
    red = ((frames[:, :, :, 0] > 190) & (frames[:, :, :, 2] < 90)).sum(axis=(-1, -2)) >= 4
    blue = ((frames[:, :, :, 2] > 190) & (frames[:, :, :, 0] < 90)).sum(axis=(-1, -2)) >= 4
    assert (red.sum(axis=2) == 1).all()
    assert (blue.sum(axis=2) == 1).all()
    assert (frames[~trials.frame_mask] == 0).all()


def test_absent_intervals_have_no_valid_frame() -> None:
    trials = small(absent=0.4, train_trials=400).open(CPU).splits["train"]
    assert abs((~trials.frame_mask.any(axis=2)).mean() - 0.4) < 0.05


def test_the_padding_trap_tells_the_label_in_train_and_its_opposite_in_test() -> None:
    data = small(padding_trap=True).open(CPU)
    means = {}
    for name in ("train", "validation", "test"):
        trials = data.splits[name]
        frames = trials.frames[np.arange(len(trials))]
        last, label = ~trials.frame_mask[:, :, -1], trials.labels
        means[name] = [frames[:, :, -1][last & (label == y)].mean(axis=0) for y in (0, 1)]
    assert np.linalg.norm(means["train"][0] - means["train"][1]) > 3
    assert np.linalg.norm(means["train"][0] - means["validation"][0]) < 1
    assert np.linalg.norm(means["train"][0] - means["test"][1]) < 1


def test_the_same_configuration_gives_the_same_trials_and_another_seed_others() -> None:
    first, again, other = small().open(CPU), small().open(CPU), small(seed=1).open(CPU)
    assert np.array_equal(first.splits["test"].eeg, again.splits["test"].eeg)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert not np.array_equal(first.splits["test"].eeg, other.splits["test"].eeg)


def test_more_training_trials_leave_the_test_as_it_is() -> None:
    assert small().open(CPU).scored_hash("test") == small(train_trials=30).open(CPU).scored_hash("test")


def test_summary_tells_the_ceiling() -> None:
    ceilings = "accuracy ceiling 0.994 (pooled video 0.685, one modality 0.500)"
    assert small().summary() == f"coincidence (features), 4 subjects, 120 trials, {ceilings}"


def test_rehearsal_is_small_and_otherwise_the_same() -> None:
    quick = CoincidenceConfig(d_prime=3.0).rehearsal()
    assert (quick.train_trials, quick.test_trials, quick.d_prime) == (32, 12, 3.0)


def test_impossible_knobs_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_valid 9 is more than frames 6"):
        small(min_valid=9)
    with pytest.raises(ValidationError, match="needs at least 3 subjects"):
        small(split="subject", subjects=2)


def test_coincidence_is_one_of_the_data_sets() -> None:
    assert isinstance(TypeAdapter(DataConfig).validate_python({"type": "coincidence"}), CoincidenceConfig)
