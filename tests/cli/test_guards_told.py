"""Each guard trips on a planted study and keeps quiet on an honest one, through the store and `ablate report`."""

import csv
import hashlib
import html
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted import BASELINE, Planted, around, cost, shifted
from tiny_study import TAIL, request_of, write_recipe
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.cli.studies import analysis_of
from ablate.report import render
from ablate.result import Store
from ablate.result.manifest import LookedAt
from ablate.study.study import study_of


@dataclass
class Stored(Planted):
    """A planted study that is written to a folder. curves: variant -> seed -> validation scores every 100 steps;
    units: variant -> sessions -> what is added to each of its units."""

    curves: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    with_units: tuple[str, ...] = ()
    scatter: float = 0.05
    step: float = 0.0
    """Added to the score from 70 % of the test's time on."""

    @staticmethod
    def key(name: str, seed: int) -> str:
        return hashlib.sha256(f"{name}-{seed}".encode()).hexdigest()[:20]

    def write(self, folder: Path) -> Path:
        store = Store.of(folder, "planted")
        store.write_manifest(self.manifest())
        for record in self.records():
            with store.writer(record.key) as run:
                if record.test is not None and self.with_units:
                    run.write_json("units.json", self._units(record.test.headline))
                points = self.curves.get(record.variant, {}).get(record.seed, ())
                run.write_lines(
                    "history.jsonl", [{"step": 100 * (i + 1), "validation": v} for i, v in enumerate(points)]
                )
                run.commit(record)
        return folder / "planted"

    def _units(self, mean: float) -> dict[str, Any]:
        generator = np.random.default_rng(0)
        sessions = []
        for name in self.with_units:
            noise, blocks = generator.normal(0, self.scatter, 30), generator.normal(0, self.scatter / 20, 20)
            blocks[14:] += self.step / 20
            values = mean + noise - noise.mean()
            sessions.append({"name": name, "value": values.tolist(), "blocks": (blocks - blocks.mean()).tolist()})
        return {"metric": "bits_per_spike", "sessions": sessions}


BASE = around(0.4, 0.01)
HELPS = shifted(BASE, 0.04, 0.003, salt=2)
FLAT = [0.2, 0.35, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
CLIMBING = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4]


def study(**changes: Any) -> Stored:
    fields: dict[str, Any] = {"scores": {BASELINE: BASE, "p": HELPS}, **changes}
    return Stored(**fields)


def told(planted: Stored, tmp_path: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["report", str(planted.write(tmp_path)), "--format", "markdown", *options])
    assert result.exit_code == 0, result.output
    return html.unescape(" ".join(result.output.split()).replace("\\", ""))


def plain(text: str) -> str:
    """A rendered report without what Markdown, HTML and LaTeX escape; LaTeX has notes as comments."""
    lines = html.unescape(text).replace("\\textgreater{}", ">").replace("\\", "").splitlines()
    return " ".join(" ".join(line.lstrip("% ") for line in lines).split())


def curves(values: list[float], **others: list[float]) -> dict[str, dict[int, list[float]]]:
    return {name: {seed: others.get(f"{name}{seed}", values) for seed in range(3)} for name in (BASELINE, "p")}


def entry(**fields: Any) -> dict[str, dict[str, Any]]:
    return {"p": fields}


def moved() -> dict[str, Any]:
    return {
        "scores": {BASELINE: BASE, "p": HELPS, "reseed": shifted(BASE, 0.05, 0.003)},
        "roles": {"reseed": "control"},
    }


def still() -> dict[str, Any]:
    scores = {BASELINE: BASE, "p": HELPS, "reseed": shifted(BASE, 0.001, 0.004)}
    return {"scores": scores, "roles": {"reseed": "control"}}


def taught(bins: int) -> dict[str, dict[str, Any]]:
    base, own = (cost(1_000_000, 10**9).model_copy(update={"bins_per_step": number}) for number in (256, bins))
    return {BASELINE: {"cost": base}, "p": {"cost": own}}


def lucky(spread: float) -> dict[str, Any]:
    rows = {f"n{i}": shifted(BASE, 0.0, 0.02 + 0.002 * i, salt=20 + i) for i in range(6)}
    return {"scores": {BASELINE: BASE, "p": shifted(BASE, 0.04, spread, salt=2), **rows}}


def glm(by: float) -> dict[str, Any]:
    return {
        "scores": {BASELINE: BASE, "p": HELPS, "glm": shifted(BASE, by)},
        "roles": {"glm": "reference"},
        "entries": {"glm": {"differences": {"baseline.type": ("encoder", "glm")}}},
    }


SESSIONS = ("a", "b", "c", "d", "e", "f")


def of_sessions(count: int) -> dict[str, Any]:
    names = SESSIONS[:count]
    sessions = {
        variant: {seed: dict.fromkeys(names, value) for seed, value in scores.items()}
        for variant, scores in ((BASELINE, BASE), ("p", HELPS))
    }
    return {"with_units": names, "sessions": sessions}


def negligible() -> dict[str, Any]:
    base = around(0.4, 0.002, seeds=5)
    return {"scores": {BASELINE: base, "p": shifted(base, 0.001, 0.001)}, "seeds": range(5)}


TINY = {BASELINE: around(0.001, 0.0001), "p": around(0.195, 0.001)}
LOST = {BASELINE: {**BASE, 2: None}, "p": HELPS}
PLATEAU = {"baseline1": [0.1, 0.2, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25]}


def seen(*seeds: int) -> dict[str, Any]:
    return {"manifest_fields": {"looked_at": LookedAt(seeds=seeds, why="they chose the regime")}}


CASES = {
    "control moved": (moved(), still(), "ALARM: the control reseed moved (+0.050 bits/spike, p"),
    "looked at": (
        seen(1, 2, 7),
        seen(7, 8),
        "Seeds 1-2 had been looked at before this study (they chose the regime): the baseline is expected to be too",
    ),
    "below the floor": (
        {"scores": {BASELINE: around(0.149, 0.003), "p": around(0.2, 0.003)}, "floor": 0.136},
        {"floor": 0.136},
        "baseline (0.149) does not clear what needs no receptive field (0.136)",
    ),
    "near the ceiling": (
        {"scores": {BASELINE: around(0.79, 0.001), "p": around(0.78, 0.001)}},
        {"scores": {BASELINE: around(0.75, 0.001), "p": around(0.74, 0.001)}},
        "baseline (0.790) stands at 99 % of what can be attained (0.800): no patch can gain more than 1.3 %, which is "
        "less than the 3.0 % that count",
    ),
    "below the GLM": (glm(0.05), glm(-0.05), "baseline (0.400) is below glm (0.450): it has not learned what"),
    "small denominator": ({"scores": TINY}, {}, "is under 2 % of the ceiling: gains are not given in percent"),
    "at chance": (
        {"scores": {BASELINE: around(0.02, 0.001), "p": HELPS}, "with_units": ("a",), "scatter": 0.5},
        {"with_units": ("a",)},
        "is at chance over its units or minutes",
    ),
    "lost pairs": ({"scores": LOST}, {}, "Seed 2 diverged in the baseline: at most 2 pairs of 3 are left"),
    "still learning": (
        {"curves": curves(CLIMBING)},
        {"curves": curves(FLAT)},
        "p was still learning when its runs stopped (+0.100 bits/spike in the last quarter of its steps, 250 % of its "
        "gain): this ranks speed of learning",
    ),
    "a reference still learning": (
        {**glm(-0.05), "curves": {"glm": dict.fromkeys(range(3), CLIMBING)}},
        {**glm(-0.05), "curves": {"glm": dict.fromkeys(range(3), FLAT)}},
        "glm was still learning when its runs stopped (+0.100 bits/spike in the last quarter of its steps): what is "
        "measured against it may be another number after more steps",
    ),
    "a negligible row still learning": (
        {**negligible(), "curves": {"p": dict.fromkeys(range(5), CLIMBING)}},
        {**negligible(), "curves": {"p": dict.fromkeys(range(5), FLAT)}},
        "p was still learning when its runs stopped (+0.100 bits/spike in the last quarter of its steps): more steps "
        "may take it out of +-3.0 %",
    ),
    "plateau": (
        {"curves": curves(FLAT, **PLATEAU)},
        {"curves": curves(FLAT, baseline1=[value - 0.02 for value in FLAT])},
        "Seed 1 (0.250 since step 300) of baseline has stood on a level that its other seeds left (0.400 bits/spike)",
    ),
    "taught unequally": (
        {"entries": taught(32)},
        {"entries": taught(256)},
        "p is not trained as the baseline is (supervised bins a step 256 -> 32)",
    ),
    "other data": (
        {"entries": entry(differences={"data.fraction": (1.0, 0.5)})},
        {"entries": entry(differences={"baseline.core.depth": (1, 2)})},
        "p is not trained as the baseline is (data.fraction 1.0 -> 0.5)",
    ),
    "other windows": (
        {"entries": entry(differences={"data.window": (48, 64)})},
        {"entries": entry(differences={"baseline.core.depth": (1, 2)})},
        "p is not trained as the baseline is (data.window 48 -> 64)",
    ),
    "spread of a control": (
        {**lucky(0.015), "roles": {"p": "control"}, "scores": {**lucky(0.015)["scores"], "p": shifted(BASE, 0, 2e-4)}},
        {**lucky(0.015), "roles": {"n0": "control"}},
        "p scatters less over seeds than the other rows",
    ),
    "spread": (lucky(0.0005), lucky(0.015), "p scatters less over seeds than the other rows"),
    "step in time": (
        {"with_units": ("a",), "step": -0.3},
        {"with_units": ("a",)},
        "after 70 % of the test's time: a frame may be missing or doubled",
    ),
    "splits differ": (
        {"with_units": ("a",), "validation": 0.6},
        {"with_units": ("a",), "validation": 0.41},
        "baseline scores 0.600 on validation and 0.400 bits/spike on test",
    ),
    "few sessions": (
        of_sessions(2),
        of_sessions(6),
        "2 sessions cannot speak for neurons of other sessions: the interval",
    ),
}


KINDS = {
    "a negligible row still learning": "still learning",
    "a reference still learning": "still learning",
    "at chance": "small denominator",
    "below the GLM": "below the floor",
    "other data": "taught unequally",
    "other windows": "taught unequally",
    "spread of a control": "spread",
}
"""The guards of the cases that are not called so."""


def planted(fields: dict[str, Any]) -> Stored:
    floor, validation = fields.get("floor"), fields.get("validation")
    made = study(**{name: value for name, value in fields.items() if name not in ("floor", "validation")})
    if floor is not None or validation is not None:
        plain = made.record

        def record(name: str, seed: int, value: float | None) -> Any:
            run = plain(name, seed, value)
            if run.test is None:
                return run
            test = run.test if floor is None else run.test.model_copy(update={"floor": floor})
            selected = run.validation if validation is None else run.test.model_copy(update={"headline": validation})
            return run.model_copy(update={"test": test, "validation": selected})

        made.record = record  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize("kind", CASES)
def test_a_planted_fault_is_told_by_the_program(kind, tmp_path):
    faulty, _, sentence = CASES[kind]
    assert sentence in told(planted(faulty), tmp_path)


@pytest.mark.parametrize("kind", CASES)
def test_an_honest_study_is_not_accused(kind, tmp_path):
    _, honest, _ = CASES[kind]
    made = planted(honest).write(tmp_path)
    assert KINDS.get(kind, kind) not in {guard.kind for guard in analysis_of(Store(made)).guards}


@pytest.mark.parametrize("kind", CASES)
def test_a_planted_fault_is_told_in_every_format(kind, tmp_path):
    faulty, _, sentence = CASES[kind]
    analysis = analysis_of(Store(planted(faulty).write(tmp_path)))
    for format in ("table", "markdown", "latex", "json"):
        assert sentence.lower() in plain(render(analysis, format, 10_000)).lower(), format
    rows = csv.DictReader(io.StringIO(render(analysis, "csv")))
    assert any(KINDS.get(kind, kind) in row["guards"].split("; ") for row in rows)


def test_seeds_that_chose_the_regime_are_told_on_the_page_too(tmp_path):
    page = tmp_path / "page.html"
    CliRunner().invoke(app, ["report", str(study(**seen(1, 2)).write(tmp_path)), "--html", str(page)])
    assert "had been looked at before this study" in " ".join(page.read_text(encoding="utf-8").split())


def test_rows_in_doubt_for_the_same_reason_share_a_sentence(tmp_path):
    """Six mixers that were still learning once filled six lines with the same words."""
    entries = {name: {"differences": {"data.fraction": (1.0, share)}} for name, share in (("p", 0.5), ("q", 0.25))}
    scores = {BASELINE: BASE, "p": HELPS, "q": shifted(BASE, 0.1, 0.003, salt=3)}
    climbing = {name: dict.fromkeys(range(3), CLIMBING) for name in ("p", "q")}
    text = told(study(scores=scores, curves=climbing, entries=entries), tmp_path)
    assert text.count("still learning when") == 1
    assert "q and p were still learning when their runs stopped: the last quarter of their steps brought" in text
    assert "100 % and 250 % of their gains, which rank speed of learning." in text
    assert "p (data.fraction 1.0 -> 0.5) and q (data.fraction 1.0 -> 0.25) are not trained as the baseline is" in text


def test_a_moved_control_leaves_no_winner(tmp_path):
    text = told(planted(moved()), tmp_path)
    assert "No winner is named." in text
    assert "helps most surely" not in text


def test_an_early_verdict_says_so_in_its_row_and_in_the_answer(tmp_path):
    text = told(study(curves=curves(CLIMBING)), tmp_path)
    assert "it is early: learning had not ended" in text
    assert "Train all variants longer (`training.steps`): what learns fastest need not end best." in text


def test_a_baseline_of_a_thousandth_gets_no_percentage_of_thousands(tmp_path):
    """`+19,424 %` stood on a page."""
    text = told(study(scores=TINY), tmp_path)
    assert "19" not in [part for part in text.split() if part.endswith("%")]
    assert "+19" not in text


def test_two_baseline_seeds_of_a_half_and_less_are_not_at_chance(tmp_path):
    scores = {BASELINE: {0: 0.50, 1: 0.42}, "p": {0: 0.60, 1: 0.53}}
    assert "at chance" not in told(study(scores=scores, seeds=(0, 1), with_units=("a",)), tmp_path)


def test_patches_that_change_nothing_worth_having_are_an_answer(tmp_path):
    base = around(0.4, 0.002, seeds=5)
    scores = {BASELINE: base, "p": shifted(base, 0.001, 0.001), "q": shifted(base, -0.001, 0.001, salt=5)}
    text = told(study(scores=scores, seeds=range(5)), tmp_path)
    assert "no winner is named: every patch changes less than 3.0 %, which is an answer." in text


def test_patches_that_could_gain_nothing_are_no_answer(tmp_path):
    """A baseline at 98 % of its ceiling once gave "every patch changes less than 3 %, which is an answer"."""
    base = around(0.79, 0.002, seeds=5)
    scores = {BASELINE: base, "p": shifted(base, 0.001, 0.001), "q": shifted(base, -0.001, 0.001, salt=5)}
    text = told(study(scores=scores, seeds=range(5)), tmp_path)
    assert "every patch changes less than 3.0 %, and none could gain as much." in text


def test_a_baseline_above_what_is_expected_of_the_truth_leaves_no_negative_gain(tmp_path):
    scores = {BASELINE: around(0.81, 0.001), "p": around(0.8, 0.001)}
    assert "no patch can gain more than 0.0 %, which is less" in told(study(scores=scores), tmp_path)


def test_three_intervals_answer_three_questions(tmp_path):
    """Another training, other neurons, other minutes; two sessions are not called other neurons."""
    CliRunner().invoke(
        app, ["report", str(study(**of_sessions(6)).write(tmp_path / "six")), "--html", str(tmp_path / "six.html")]
    )
    page = (tmp_path / "six.html").read_text()
    assert "gain over neurons, 95 %</th>" in page
    assert "gain over minutes, 95 %</th>" in page
    CliRunner().invoke(
        app, ["report", str(study(**of_sessions(2)).write(tmp_path / "two")), "--html", str(tmp_path / "two.html")]
    )
    page = (tmp_path / "two.html").read_text()
    assert "gain over neurons, 95 %</th>" not in page
    rows = json.loads(
        CliRunner().invoke(app, ["report", str(tmp_path / "six" / "planted"), "--format", "json"]).stdout
    )["rows"]
    row = next(row for row in rows if row["variant"] == "p")
    assert row["gain_time_low"] <= row["gain"] <= row["gain_time_high"]


UNLIKE = """\
patches:
  half: {title: half of the data, data: {fraction: 0.5}}
  wide: {title: longer windows and so fewer of them, data: {window: 24}}
  more: {title: more windows a step, training: {batch_size: 32}}
  cut: {title: the same step in two pieces, training: {accumulate: 2}}
"""
SAID = (
    "half (data.fraction 1.0 -> 0.5), wide (training.batch_size 16 -> 8; data.window 16 -> 24) and more "
    "(supervised bins a step 16 -> 32; training.batch_size 16 -> 32) are not trained as the baseline is"
)


def test_a_trained_study_tells_above_its_table_which_variants_were_taught_otherwise(tmp_path):
    recipe = write_recipe(tmp_path, patches=UNLIKE, tail="glm: false\n" + TAIL)
    result = CliRunner().invoke(
        app, ["run", str(recipe), "--out", str(tmp_path), "--inline", "--device", "cpu"], env={"COLUMNS": "140"}
    )
    assert result.exit_code == 0, result.output
    assert SAID in " ".join(result.output.split())
    analysis = analysis_of(Store(tmp_path / "tiny"))
    for format, table in (("table", "what it changes"), ("markdown", "### Ranking"), ("latex", "begin{tabular}")):
        text = plain(render(analysis, format, 10_000))
        assert 0 < text.find(SAID) < text.find(table), format
    page = " ".join(html.unescape(html_page(tmp_path)).split())
    assert 0 < page.find(SAID) < page.find("<table")
    rows = json.loads(render(analysis, "json"))["rows"]
    told_of = {row["variant"] for row in rows if "taught unequally" in row["guards"]}
    assert told_of == {"half", "wide", "more"}  # cut has the same batch


def html_page(folder: Path) -> str:
    page = folder / "page.html"
    result = CliRunner().invoke(app, ["report", str(folder / "tiny"), "--html", str(page)])
    assert result.exit_code == 0, result.output
    return page.read_text(encoding="utf-8")


def test_what_the_few_words_of_a_change_leave_out_of_its_teaching_stands_beside_what_else_moved(tmp_path):
    patches = """\
patches:
  many:
    title: many things at once
    data: {window: 32}
    baseline: {core: {embedding_dim: 16, num_spatial_blocks: 2, num_temporal_blocks: 2, head_dim: 16, ff_dim: 16}}
  one: {title: a longer window, data: {window: 32}}
"""
    recipe = write_recipe(tmp_path, patches=patches, tail="glm: false\n" + TAIL)
    made = study_of(request_of(recipe, tmp_path / "results"))
    also = {entry.name: entry.also_changed for entry in made.manifest.variants}
    assert "training.batch_size 16 -> 6" in also["many"]  # fewer windows, for each has more bins
    assert not any("batch_size" in text for text in also["one"])  # its change says so already
