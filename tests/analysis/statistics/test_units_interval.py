"""The second interval: hierarchical bootstrap over units nested in sessions."""

import numpy as np
import pytest

from ablate.analysis.statistics.units import UnitTable, draw_weights, paired_units, read_units, unit_intervals


def table(*sessions: np.ndarray) -> UnitTable:
    gains = np.concatenate(sessions)
    entries = tuple(tuple(range(len(values))) for values in sessions)
    return UnitTable(tuple(f"s{i}" for i in range(len(sessions))), entries, np.zeros_like(gains), gains)


def content(*sessions: list[float | None]) -> dict[str, object]:
    return {
        "metric": "bits_per_spike",
        "sessions": [{"name": f"s{i}", "entry": list(range(len(v))), "value": v} for i, v in enumerate(sessions)],
    }


def test_every_draw_weighs_units_to_one_and_sessions_alike():
    weights = draw_weights([3, 10], draws=4000, seed=1)
    assert weights.sum(axis=1) == pytest.approx(1)
    assert weights[:, :3].sum(axis=1).mean() == pytest.approx(0.5, abs=0.02)
    assert set(np.round(weights[:, :3].sum(axis=1), 9)) <= {0.0, 0.5, 1.0}


def test_the_interval_equals_a_bootstrap_written_as_plain_loops():
    generator = np.random.default_rng(2)
    sessions = [generator.normal(mean, 0.05, size) for mean, size in ((0.02, 8), (0.06, 15), (-0.01, 5), (0.03, 20))]
    draws = []
    for _ in range(6000):
        chosen = generator.integers(0, 4, 4)
        draws.append(np.mean([generator.choice(sessions[s], len(sessions[s])).mean() for s in chosen]))
    (interval,) = unit_intervals([table(*sessions)])
    low, high = np.quantile(draws, [0.025, 0.975])
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.003)


def test_with_one_session_its_units_are_redrawn():
    values = np.random.default_rng(3).normal(0.02, 0.05, 40)
    (interval,) = unit_intervals([table(values)])
    error = values.std() / np.sqrt(40)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_the_same_units_give_the_same_interval_and_excluded_ones_do_not_count():
    values = np.random.default_rng(4).normal(0.02, 0.05, 12)
    with_excluded = np.append(values, np.nan)
    assert unit_intervals([table(values), table(values)])[0] == unit_intervals([table(values)])[0]
    (interval,) = unit_intervals([table(with_excluded)])
    assert np.isfinite([interval.low, interval.high]).all()


def test_the_draws_are_split_into_blocks_without_changing_a_number(monkeypatch):
    whole = draw_weights([4, 7, 2], draws=50, seed=5)
    monkeypatch.setattr("ablate.analysis.statistics.units.BLOCK", 1)
    assert (draw_weights([4, 7, 2], draws=50, seed=5) == whole).all()


def test_units_are_read_and_averaged_over_seeds():
    pairs = [
        (read_units(content([0.1, None], [0.3])), read_units(content([0.2, 0.5], [0.3]))),
        (read_units(content([0.3, 0.2], [0.5])), read_units(content([0.4, 0.5], [0.9]))),
    ]
    found = paired_units(pairs)
    assert found.sizes == (2, 1)
    assert found.gain[[0, 2]] == pytest.approx([0.1, 0.2])
    assert np.isnan(found.gain[1])


def test_other_units_are_never_compared():
    assert paired_units([(read_units(content([0.1, 0.2])), read_units(content([0.1])))]) is None
    assert paired_units([]) is None


@pytest.mark.parametrize(
    "damaged", [None, [], {}, {"sessions": []}, {"sessions": [{}]}, {"sessions": [{"name": "a", "value": "x"}]}, "text"]
)
def test_a_damaged_file_of_units_gives_no_interval_and_no_error(damaged):
    assert read_units(damaged) is None
    assert unit_intervals([None]) == [None]
