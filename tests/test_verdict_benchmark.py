"""`python tests/benchmarks/verdicts` with very few studies: every table and column is there, and our rule is the
program's."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ablate.analysis.apart.repetition import Again, repetitions
from ablate.analysis.outcome import Gain

ROOT = Path(__file__).resolve().parent.parent
BENCHMARK = ROOT / "tests" / "benchmarks" / "verdicts"
DOCS = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
FILES = {
    "rules.txt",
    "worlds.txt",
    "coverage.txt",
    "power.txt",
    "again.txt",
    "baseline_seeds.txt",
    "limit.txt",
    "worth.txt",
    "guards.txt",
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Tables of a few studies, by name of the file."""
    out = tmp_path_factory.mktemp("verdicts")
    few = ["--studies", "100", "--by-study", "2", "--packages", "1"]
    command = [sys.executable, str(BENCHMARK), *few, "--out", str(out)]
    environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PATH": ""}
    subprocess.run(command, check=True, timeout=200, capture_output=True, env=environment)
    assert (out / "rules.svg").read_text(encoding="utf-8").startswith("<?xml")
    return {path.name: path.read_text(encoding="utf-8") for path in out.glob("*.txt")}


def test_every_table_says_how_it_was_made_and_stands_in_the_docs(written):
    assert set(written) == {*FILES, "training.txt"}
    for name in (*FILES, "training.txt"):
        assert f"<!-- table: results/benchmarks/verdicts/{name} -->" in DOCS
    for name in FILES:
        text = written[name]
        assert re.search(r"^seed 0; 100 studies a cell, 2 study by study; \d+ s of processor time", text, re.MULTILINE)
        committed = (ROOT / "results" / "benchmarks" / "verdicts" / name).read_text(encoding="utf-8")
        assert text.splitlines()[0].split() == committed.splitlines()[0].split()


def test_trained_worlds_are_judged_from_their_kept_scores_and_give_the_committed_table(written):
    committed = ROOT / "results" / "benchmarks" / "verdicts" / "training.txt"
    assert written["training.txt"] == committed.read_text(encoding="utf-8")
    assert "30 worlds, 15 seeds" in written["training.txt"]


def test_rules_are_told_apart_even_by_a_hundred_studies(written):
    rows = {line[:40].strip(): line[40:].split() for line in written["rules.txt"].splitlines()}
    for name in ("1 seed, above the baseline", "mean of 5 seeds above"):
        assert float(rows[name][1]) > 80  # percent of studies with a false winner
    for name in ("ablate, 3 seeds", "ablate, 5 seeds", "ablate, until settled"):
        assert float(rows[name][1]) < 15
    assert [int(rows[name][0]) for name in ("ablate, 3 seeds", "ablate, 5 seeds")] == [33, 55]


def test_arrays_of_studies_get_the_words_that_the_program_gives_each(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import ours
    import worlds

    for variance in ("moderated", "own"):
        planted = worlds.plant(worlds.NORMAL, worlds.HALF, 30, 4, seed=3)
        by_program, _ = ours.fixed_by_study(planted, variance)
        by_program = np.where(by_program == 2, 0, by_program)  # arrays have no word for what is too small to matter
        assert (ours.fixed(planted, variance) == by_program).all()
        assert (by_program == 1).any()


def test_arrays_of_studies_buy_the_seeds_and_get_the_intervals_that_the_program_gives_each(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import ours
    import worlds

    unlike = next(world for world in worlds.WORLDS if world.name == "unlike .6")
    ratios = worlds.Plan(tuple(gain / 0.25 for gain in (0.0, 0.05, 0.5, 1.0)))
    large = worlds.plant(worlds.NORMAL, ratios, 6, 12, 3)
    for planted, unit in ((worlds.plant(unlike, worlds.HALF, 6, 12, 3), ours.UNIT), (large, 0.25)):
        fast, slow = ours.until_settled(planted, unit=unit), ours.until_settled_by_study(planted, unit=unit)
        for name in fast._fields:
            np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)


def test_arrays_repeat_and_contradict_as_the_program_does(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import again

    case = again.Case("", again.HALF, log_sd=0.6, moved=-1.5)
    first, second, truth = again.draw(case, 12, 3)
    found = again.repeated(first, second)
    for study in range(12):
        rows = {f"p{row}": said_of(first, second, found, study, row) for row in range(truth.shape[1])}
        words = {name: one.repeat for name, one in repetitions(rows).items()}
        contradicted = [name for name, word in words.items() if word == "contradicted"]
        assert contradicted == [f"p{row}" for row in np.flatnonzero(found.contradicted[study])]
    assert found.contradicted.any()


WORDS = {-1: "hurts", 0: "no evidence", 1: "helps", 2: "negligible"}


def said_of(first, second, found, study, row):
    """A row of both sets as the program holds it, with the moderated errors of the arrays."""
    gains = []
    for held, error, degrees in zip((first, second), found.errors, found.degrees, strict=True):
        gains.append(
            Gain(
                seeds=tuple(range(held.seeds)),
                by_seed=(0.0,) * held.seeds,
                mean=float(held.gain[study, row]),
                error=float(error[study, row]),
                degrees=float(degrees[study, row]),
            )
        )
    before = SimpleNamespace(role="variant", verdict=WORDS[found.words[study, row]], gain=gains[0])
    return Again(before, gains[1], WORDS[found.again[study, row]])


def test_a_row_that_diverges_is_never_said_to_help(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARK))
    import ours
    import worlds

    planted = worlds.plant(worlds.NORMAL, worlds.MIXED, 4, 12, seed=0)
    row = worlds.MIXED.diverging[0]
    assert (planted.truth[:, row] > 2).all()
    assert (ours.until_settled_by_study(planted).words[:, row] != 1).all()
    assert (ours.fixed_by_study(planted)[0][:, row] != 1).all()
