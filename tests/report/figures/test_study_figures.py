"""The figures of a study: which are drawn, how variants look, and that the same study gives the same bytes."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from drawn_study import analysed, rich
from matplotlib.figure import Figure
from planted import BASELINE, Planted, around, shifted, typical

from ablate.report.figures import CATALOGUE, figures, rendered, write_figures
from ablate.report.figures.study.curves import by_step
from ablate.report.figures.style import OKABE_ITO, looks, spread_out, window

ALL = {drawing.name for drawing in CATALOGUE} - {"numbers"}  # of spikes; numbers are drawn in test_study_targets.py


def drawn(planted: Planted | None = None, *, loaders: bool = True) -> dict[str, Figure]:
    return {drawing.name: figure for drawing, figure in figures(analysed(planted, loaders=loaders))}


def texts(figure: Figure) -> str:
    return rendered(figure, "svg").decode()


def test_a_rich_study_has_every_figure() -> None:
    assert set(drawn()) == ALL


def test_a_study_without_curves_units_or_combinations_has_only_gains_and_costs() -> None:
    base = around(0.4, 0.01)
    assert set(drawn(Planted({BASELINE: base, "wide": shifted(base, 0.02)}), loaders=False)) == {"gains", "pareto"}


def test_a_study_without_a_run_has_no_figure() -> None:
    assert drawn(Planted({BASELINE: {}, "wide": {}}), loaders=False) == {}


@pytest.mark.parametrize("seeds", [1, 2, 3, 10])
def test_every_number_of_seeds_can_be_drawn(seeds: int) -> None:
    base = around(0.4, 0.01, seeds=seeds)
    planted = Planted({BASELINE: base, "wide": shifted(base, 0.02), "same": dict(base)}, seeds=range(seeds))
    for figure in drawn(planted).values():
        assert rendered(figure, "png").startswith(b"\x89PNG")


def test_a_baseline_at_chance_is_drawn_in_the_metrics_own_unit() -> None:
    base = around(-0.02, 0.01)
    found = drawn(Planted({BASELINE: base, "wide": shifted(base, 0.02)}))
    assert "gain over baseline in bits/spike" in texts(found["gains"])


def test_the_figures_of_labels_say_labels() -> None:
    found = drawn(rich(metric="bits_per_label", accuracy=0.8))
    assert "bits/label" in texts(found["pareto"])
    assert "of 16 trials" in texts(found["units"])


def test_the_forest_tells_name_and_verdict_of_every_row() -> None:
    analysis = analysed()
    written = texts(drawn()["gains"])
    for row in analysis.rows:
        if row.role != "baseline":
            assert f">{row.name}<" in written
    assert ">helps, early<" in written


def test_no_figure_leaves_out_the_winner_a_reference_or_a_control() -> None:
    base = around(0.4, 0.01)
    many = {f"p{index}": shifted(base, 0.001 * index) for index in range(1, 50)}
    planted = Planted({BASELINE: base, **many, "glm": shifted(base, -0.2), "reseed": dict(base)})
    planted.entries = {"glm": {"role": "reference"}, "reseed": {"role": "control"}}
    analysis = analysed(planted)
    assert analysis.winner == "p49"
    found = drawn(planted)
    for name in ("gains", "curves", "units"):
        for row in ("p49", "glm", "reseed"):
            assert row in texts(found[name]), (name, row)
    assert "glm" in texts(found["time"])


def test_a_unit_that_gains_lies_above_the_line_whatever_its_score() -> None:
    axes = drawn()["units"].axes[0]
    best = max((row for row in analysed().rows if row.role == "variant"), key=lambda row: row.gain.mean)  # type: ignore[union-attr]
    drawn_gains = axes.collections[0].get_offsets().data[:, 1]  # type: ignore[union-attr]
    assert drawn_gains == pytest.approx([unit.score - unit.baseline for unit in best.units])


def test_a_drift_over_the_test_is_seen_and_its_mean_is_the_score() -> None:
    (baseline,) = (line for line in drawn()["time"].axes[0].lines if line.get_label() == BASELINE)
    values = baseline.get_ydata()
    assert values[0] - values[-1] == pytest.approx(20 * 0.002)  # type: ignore[index,operator]
    assert sum(values) / 20 == pytest.approx(analysed().baseline.score.mean)  # type: ignore[arg-type,union-attr]


def test_the_forest_draws_three_intervals_and_names_them() -> None:
    written = texts(drawn()["gains"])
    for label in ("95 % over seeds, paired", "95 % over units and sessions", "95 % over blocks of time"):
        assert label in written


def test_identical_input_gives_identical_bytes_without_a_date_or_a_version(tmp_path: Path) -> None:
    first = write_figures(analysed(), tmp_path / "first")
    second = write_figures(analysed(), tmp_path / "second")
    assert [path.name for path in first] == [path.name for path in second]
    assert len(first) == 3 * len(ALL)
    for one, two in zip(first, second, strict=True):
        data = one.read_bytes()
        assert data == two.read_bytes(), one.name
        assert not any(word in data for word in (b"CreationDate", b"matplotlib.org")), one.name


def test_the_order_of_the_records_changes_no_figure() -> None:
    planted = rich()
    turned = rich(scores=dict(reversed(list(planted.scores.items()))))
    turned.scores = {name: turned.scores[name] for name in planted.scores}
    assert {name: texts(figure) for name, figure in drawn(planted).items()} == {
        name: texts(figure) for name, figure in drawn(turned).items()
    }


def test_a_study_with_hostile_names_is_drawn_as_text() -> None:
    base = around(0.4, 0.01)
    name = "<script>alert(1)</script>$x^{$\x1b[31m"
    planted = Planted({BASELINE: base, name: shifted(base, 0.02)})
    for figure in drawn(planted).values():
        assert "<script" not in texts(figure)


def test_a_user_style_changes_nothing() -> None:
    import matplotlib

    before = texts(drawn()["gains"])
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "path"}):
        assert texts(drawn()["gains"]) == before


# ------------------------------------------------------------------ colours


def test_a_variant_keeps_its_colour_when_its_rank_changes() -> None:
    before = looks(analysed(typical()))
    better = typical()
    better.scores["slow"] = shifted(better.scores[BASELINE], 0.1)  # type: ignore[arg-type]
    assert analysed(better).winner == "slow"
    assert looks(analysed(better)) == before


def test_the_first_patches_take_the_colours_in_order_and_no_two_look_alike() -> None:
    base = around(0.4, 0.01)
    names = [f"p{index}" for index in range(20)]
    found = looks(analysed(Planted({BASELINE: base, **{name: shifted(base, 0.01) for name in names}}), loaders=False))
    assert [found[name].color for name in names[:7]] == list(OKABE_ITO)
    assert len({(look.color, look.marker) for look in found.values()}) == 21


# ------------------------------------------------------------------ axes


def test_a_window_shows_its_core_and_leaves_out_what_would_squeeze_it() -> None:
    low, high = window([0.0, 1.0], [0.5, 2.0, -500.0])
    assert -0.5 < low < 0
    assert 2.0 < high < 2.5


def test_labels_are_moved_apart_and_keep_their_order() -> None:
    places = spread_out([0.5, 0.5, 0.51, 0.9], 0.1, 0.0, 1.0)
    ordered = sorted(places)
    assert all(second - first >= 0.1 - 1e-6 for first, second in pairwise(ordered))
    assert places[0] < places[2] < places[3]


def test_steps_that_only_some_seeds_reached_are_left_out_of_the_mean() -> None:
    from ablate.analysis.outcome import LearningCurve

    curves = [LearningCurve("a", 0, (0, 10, 20), (0.0, 1.0, 9.0)), LearningCurve("a", 1, (0, 10), (0.0, 3.0))]
    steps, mean, low, high = by_step(curves)
    assert steps.tolist() == [0, 10]
    assert mean.tolist() == [0.0, 2.0]
    assert (low[1], high[1]) == (1.0, 3.0)


def test_the_figures_load_no_torch_and_the_table_no_matplotlib() -> None:
    check = "import sys, {}; loaded = set(sys.modules); assert 'torch' not in loaded{}"
    for module, more in (("ablate.report.writer.page", ""), ("ablate.report", "; assert 'matplotlib' not in loaded")):
        subprocess.run([sys.executable, "-c", check.format(module, more)], check=True)
