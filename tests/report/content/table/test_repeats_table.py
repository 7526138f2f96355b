"""What repeats say, in every form of the report."""

import json

import pytest
from drawn_study import analysed, rich
from planted import BASELINE

from ablate.report import render


def test_the_terminals_details_tell_responses_and_variants() -> None:
    text = " ".join(render(analysed(), "table", 140, details=True).split())
    assert "monkey" in text
    assert "1 of 2" in text
    assert "25.0 % [20.0, 30.0]" in text
    assert "What is explained of the explainable" in text
    assert "Cadena et al. 2019" in text
    assert "Sahani & Linden 2003" in text
    assert "Schoppe et al. 2016" in text


def test_the_short_report_names_the_share_that_the_baseline_explains() -> None:
    analysis = analysed()
    fev = next(row.fev for row in analysis.repeats.variants if row.variant == BASELINE)
    assert f"of the explainable variance {100 * fev.value:.0f} % [" in render(analysis, "table", 140)


def test_figures_are_means_over_seeds_with_their_bounds() -> None:
    analysis = analysed()
    seeds = analysis.seeds
    row = next(row for row in analysis.repeats.variants if row.variant == "tokens")
    mean = sum(0.42 + 0.001 * seed for seed in seeds) / len(seeds)
    assert row.fev.value == pytest.approx(mean)
    assert (row.fev.interval.low, row.fev.interval.high) == pytest.approx((mean - 0.05, mean + 0.05))
    assert row.of_ceiling == pytest.approx(mean / 0.8)


def test_markdown_and_json_hold_the_same_tables() -> None:
    analysis = analysed()
    assert "### Repeats of one stimulus" in render(analysis, "markdown")
    record = json.loads(render(analysis, "json"))
    keys = [block["key"] for block in record["report"]]
    assert {"repeats", "explained", "repeats-words"} <= set(keys)
    assert record["repeats"]["sessions"][0]["showings"] == 4
    assert {row["variant"] for row in record["repeats"]["variants"]} >= {BASELINE, "tokens"}


def test_a_study_without_repeats_says_nothing_of_them() -> None:
    text = render(analysed(rich(), loaders=False), "table", 140, details=True)
    assert "Repeats of one stimulus" not in text
