"""`retune:`: the same small search for the baseline and the rows ahead, through the flow."""

import json
import signal

import pytest
from planted_trainer import noise, plant
from test_study_confirm import Notes
from tiny_study import TAIL, plain, request_of, write_recipe

from ablate.analysis.study import analyse
from ablate.cli.command.run import finished_study
from ablate.cli.screen.table.price import summary
from ablate.errors import AblateError
from ablate.recipe import load_recipe
from ablate.report import render
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.price import price_study

ROWS = """\
patches:
  wide: {title: a wider core, convnet: {embedding_dim: 12}}
  fast: {title: a higher learning rate, training: {learning_rate: 4.0e-3}}
  slow: {title: a lower learning rate, training: {learning_rate: 1.0e-4}}
"""
SEARCH = "retune: {training.learning_rate: [x/2, x, 2x]}\n"
BEST = 2e-3
"""The learning rate at which every model scores best; the baseline is at half of it."""


def truth(job):
    """A wider core is worth .04 at any learning rate; at the best one, .03 more is gained by all."""
    rate = job.configuration.training.learning_rate
    tuned = {BEST: 0.03, 4e-3: 0.02, 5e-4: -0.02}.get(rate, 0.0 if rate == 1e-3 else -0.05)
    return 0.5 + tuned + 0.04 * (job.configuration.model.core.embedding_dim == 12)


def scored(job):
    return truth(job) + 0.001 * noise(job)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    plant(monkeypatch, scored, validation=truth)
    return write_recipe(tmp_path, patches=ROWS, tail="glm: false\n" + SEARCH + TAIL)


def go(recipe, tmp_path, **options):
    notes = Notes()
    request = request_of(recipe, tmp_path / "results", **{"seeds": "0,1,2,3", **options})
    return run_study(request, notes), notes


def analysis_of(end):
    return analyse(end.study.store.manifest(), end.study.store.records())


def test_a_gain_that_is_not_the_learning_rates_survives_and_one_that_is_does_not(recipe, tmp_path):
    end, _ = go(recipe, tmp_path)
    rows = {row.name: row for row in analysis_of(end).rows}
    assert (rows["wide"].verdict, rows["fast"].verdict) == ("helps", "helps")
    assert (rows["wide"].retuned.survives, rows["fast"].retuned.survives) == (True, False)
    assert rows["wide"].retuned.gain.mean == pytest.approx(0.04, abs=0.002)
    assert rows["fast"].retuned.gain.mean == 0.0  # with the same search it is the baseline
    assert rows["slow"].retuned is None
    assert rows["baseline"].retuned.best_text == "training.learning_rate 0.002"


def test_every_row_has_the_same_settings_and_what_was_run_is_not_trained_again(recipe, tmp_path):
    end, notes = go(recipe, tmp_path)
    plan = end.study.manifest.retuning
    rates = [setting["training.learning_rate"] for setting in plan.settings]
    assert rates == [1e-3, 5e-4, 2e-3, 4e-3]  # the baseline's, the recipe's, and the one of a row that has its own
    assert plan.rows == ("baseline", "wide", "fast")
    assert plan.seeds == (0, 1, 2)
    assert {len(held) for held in plan.keys.values()} == {4}
    assert len(set(notes.begun)) == len(notes.begun)
    study, retuned = notes.begun[:16], notes.begun[16:]
    assert not any("(" in label for label in study)
    # baseline: two new rates (fast is the third) at three seeds and the best at the fourth; wide: three and the best
    assert len(retuned) == (2 * 3 + 1) + (3 * 3 + 1)
    assert "wide (learning_rate 0.002) seed 3" in retuned
    assert notes.stages == [
        "retuning baseline, wide and fast, the search",
        "retuning baseline, wide and fast, the best settings at the other seeds",
    ]


def test_the_search_is_stored_before_it_runs_and_chooses_by_validation_alone(recipe, tmp_path, monkeypatch):
    plant(monkeypatch, scored, validation=lambda job: -truth(job))  # test would choose the others
    end, notes = go(recipe, tmp_path)
    stored, planned = notes.stored[0].retuning, end.study.manifest.retuning  # before the first of its runs, and after
    assert (stored.settings, stored.seeds, stored.rows) == (planned.settings, planned.seeds, planned.rows)
    assert analysis_of(end).row("wide").retuned.best_text == "training.learning_rate 0.0005"


def test_the_study_says_the_same_with_and_without_its_search(recipe, tmp_path):
    without = analysis_of(go(recipe, tmp_path, retune="none")[0])
    assert all(row.retuned is None for row in without.rows)
    after = analysis_of(go(recipe, tmp_path)[0])
    for row in without.rows:
        assert (row.verdict, row.gain) == (after.row(row.name).verdict, after.row(row.name).gain)
    assert after.runs_planned == without.runs_planned
    assert "; survives retuning: +" in after.answer


def test_the_same_command_again_trains_nothing_and_all_searches_the_other_rows_too(recipe, tmp_path):
    go(recipe, tmp_path)
    assert finished_study(request_of(recipe, tmp_path / "results", seeds="0,1,2,3")) is not None
    again, notes = go(recipe, tmp_path)
    assert (again.trained, notes.begun) == (0, [])
    more = request_of(recipe, tmp_path / "results", seeds="0,1,2,3", retune="all")
    assert finished_study(more) is None
    end, notes = go(recipe, tmp_path, retune="all")
    assert end.study.manifest.retuning.rows == ("baseline", "wide", "fast", "slow")
    assert analysis_of(end).row("slow").retuned.survives is False
    assert finished_study(more) is not None


def test_a_search_that_was_stopped_goes_on_to_the_same_end(recipe, tmp_path, monkeypatch):
    whole, _ = go(recipe, tmp_path / "whole")
    for stop_at in ("wide (learning_rate 0.0005)", "baseline (learning_rate 0.002)"):

        def impatient(job, name=stop_at):
            if job.variant == name and job.seed in (1, 3):
                signal.raise_signal(signal.SIGINT)
            return scored(job)

        with monkeypatch.context() as patched:
            plant(patched, impatient, validation=truth)
            cut, _ = go(recipe, tmp_path / "cut")
        assert cut.interrupted
        assert analysis_of(cut).row("wide").retuned.survives is None
    end, _ = go(recipe, tmp_path / "cut")
    assert plain(end.study.store) == plain(whole.study.store)
    assert analysis_of(end).row("wide").retuned == analysis_of(whole).row("wide").retuned


def test_values_are_multiples_of_the_baselines_or_numbers_and_the_baselines_own_stands_first(tmp_path):
    written = "retune: {training.learning_rate: [x/2, x, 2x, 0.5x, 0.004], core.embedding_dim: [2*x]}\n"
    rate, width = load_recipe(write_recipe(tmp_path, tail=written + TAIL)).retune
    assert (rate.name, rate.values) == ("training.learning_rate", (1e-3, 5e-4, 2e-3, 4e-3))
    assert (width.path, width.values) == (("model", "core", "embedding_dim"), (8, 16))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("retune: {training.lerning_rate: [x/2]}", "unknown key"),
        ("retune: {training.learning_rate: 0.1}", "expected a list of values"),
        ("retune: {training.learning_rate: [x]}", "expected another value than the baseline's"),
        ("retune: {core.embedding_dim: [x/3]}", "expected a multiple of 8 that is a whole number"),
        ("retune: {training.learning_rate: [fast]}", "expected"),
        ("retune: [x/2]", "expected a mapping from a key to its values"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_its_place(tmp_path, written, message):
    with pytest.raises(AblateError, match=message) as told:
        load_recipe(write_recipe(tmp_path, tail=written + "\n" + TAIL))
    assert "tiny.yaml:" in str(told.value)


def test_a_patch_whose_model_has_no_such_key_is_refused_before_anything_is_trained(tmp_path):
    patches = "patches:\n  other: {convnet: {type: resnet}}\n"
    search = "retune: {core.embedding_dim: [2x]}\n"
    recipe = write_recipe(tmp_path, patches=patches, tail="glm: false\n" + search + TAIL)
    with pytest.raises(AblateError, match="other cannot be retuned"):
        go(recipe, tmp_path)
    assert not Store(tmp_path / "results" / "tiny").exists()


def test_every_report_says_which_gains_survived(recipe, tmp_path):
    analysis = analysis_of(go(recipe, tmp_path)[0])
    for format in ("table", "markdown", "latex", "json"):
        text = render(analysis, format)
        assert "does not survive" in text, format
        assert "training.learning_rate 0.002" in text.replace("\\_", "_"), format
    rows = {row["variant"]: row for row in json.loads(render(analysis, "json"))["rows"]}
    assert [rows[name]["retuned_survives"] for name in ("wide", "fast", "slow")] == [True, False, None]
    assert rows["wide"]["retuned_gain"] == pytest.approx(0.04, abs=0.002)
    without = analysis_of(go(recipe, tmp_path / "without", retune="none")[0])
    assert "Retuned" not in render(without, "markdown")


@pytest.mark.parametrize(("values", "edge"), [("[x/2, x, 2x, 4x]", False), ("[x/2, x, 2x]", True)])
def test_a_best_value_at_the_end_of_the_search_is_told(recipe, tmp_path, values, edge):
    """The row `fast` brings 4e-3 into every search: the best, 2e-3, lies within; without it, at the end."""
    text = recipe.read_text().replace("[x/2, x, 2x]", values)
    recipe.write_text(text.replace("learning_rate: 4.0e-3", "learning_rate: 1.5e-3"))
    end, _ = go(recipe, tmp_path)
    analysis = analysis_of(end)
    assert analysis.row("baseline").retuned.best_text == "training.learning_rate 0.002"
    assert analysis.row("baseline").retuned.at_edge == (("training.learning_rate",) if edge else ())
    told = "is the smallest or the largest that was tried" in " ".join(render(analysis, "markdown").split())
    assert told == edge


def test_the_price_says_what_search_and_confirmation_take(recipe, tmp_path):
    price = price_study(request_of(recipe, tmp_path / "results", seeds="0,1,2,3", confirm=5))
    runs, seconds = price.search
    assert runs == 2 * 3 + 1  # x/2 and 2x at the three seeds of the search, and the best at the fourth
    assert (price.confirmation[0], seconds > 0) == (10, True)
    told = " ".join(summary(price))
    assert "retuning takes up to 7 runs of the baseline and 7 of each patch that helps: about" in told
    assert "the confirmation of one row takes 10 runs, about" in told
    none = price_study(request_of(recipe, tmp_path / "results", retune="none"))
    assert (none.search, none.confirmation) == ((0, 0.0), (0, 0.0))
