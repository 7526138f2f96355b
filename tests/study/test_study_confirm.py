"""`--confirm`: fresh seeds for what a study chose, through the flow."""

import signal

import pytest
from planted_trainer import noise, plant
from tiny_study import TAIL, plain, request_of, write_recipe
from typer.testing import CliRunner

from ablate.analysis.study import analyse
from ablate.cli.app import app
from ablate.cli.command.run import finished_study
from ablate.errors import AblateError
from ablate.result import Store
from ablate.result.store.clean import garbage
from ablate.study.flow import run_study
from ablate.study.running.watcher import Watcher

ROWS = """\
patches:
  fast: {title: a higher learning rate, training: {learning_rate: 3.0e-3}}
  slow: {title: a lower learning rate, training: {learning_rate: 1.0e-5}}
  same: {title: hardly another learning rate, training: {learning_rate: 1.1e-3}}
"""
GAINS = {"baseline": 0.0, "fast": 0.05, "slow": -0.05, "same": 0.0}
LUCK = {"fast": 0.03}
"""What a row gains on the seeds that choose it, and on no others."""


class Notes(Watcher):
    """Writes down which runs began, and the manifest when the first of a stage did."""

    def __init__(self):
        self.begun, self.stages, self.stored = [], [], []
        self.study = None

    def planned(self, study, todo):
        self.study, self._labels = study, {job.key: job.label for job in todo}

    def look(self, state, todo, ahead=()):
        self._labels |= {job.key: job.label for job in todo}

    def stage(self, name, todo):
        self._labels |= {job.key: job.label for job in todo}
        self.stages.append(name)
        self.stored.append(Store(self.study.store.root).manifest())

    def event(self, event):
        if event.kind == "started":
            self.begun.append(self._labels[event.key])


def scored(job):
    return 0.5 + GAINS[job.variant] + LUCK.get(job.variant, 0.0) * (job.seed < 10) + 0.002 * noise(job)


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    plant(monkeypatch, scored)
    return write_recipe(tmp_path, patches=ROWS, tail="glm: false\n" + TAIL)


def go(recipe, tmp_path, **options):
    notes = Notes()
    request = request_of(recipe, tmp_path / "results", **{"seeds": "0,1,2", **options})
    return run_study(request, notes), notes


def analysis_of(end):
    return analyse(end.study.store.manifest(), end.study.store.records())


def test_the_winner_and_the_baseline_are_trained_on_seeds_that_the_study_never_used(recipe, tmp_path):
    end, notes = go(recipe, tmp_path, confirm=3)
    fresh = [label for label in notes.begun if int(label.split()[-1]) > 2]
    assert analysis_of(end).row("fast").verdict == "helps"
    assert fresh == [f"{name} seed {seed}" for seed in (10, 11, 12) for name in ("baseline", "fast")]
    assert notes.stages == ["confirming fast on the fresh seeds 10-12"]
    (planned,) = notes.stored[0].confirmations  # before the first of its runs
    assert (planned.seeds, planned.rows) == ((10, 11, 12), ("fast",))
    assert end.trained == 18


def test_the_same_command_again_trains_nothing_and_needs_no_torch_to_say_so(recipe, tmp_path):
    go(recipe, tmp_path, confirm=3)
    request = request_of(recipe, tmp_path / "results", seeds="0,1,2", confirm=3)
    assert finished_study(request) is not None
    again, notes = go(recipe, tmp_path, confirm=3)
    assert (again.trained, notes.begun, notes.stages) == (0, [], [])
    assert len(again.study.manifest.confirmations) == 1


def test_the_verdicts_of_the_study_are_the_same_before_and_after_its_confirmation(recipe, tmp_path):
    before = analysis_of(go(recipe, tmp_path)[0])
    after = analysis_of(go(recipe, tmp_path, confirm=3)[0])
    for row in before.rows:
        assert (row.verdict, row.gain, row.by_seed) == (
            after.row(row.name).verdict,
            after.row(row.name).gain,
            after.row(row.name).by_seed,
        )
    assert (after.runs_planned, after.seeds) == (12, (0, 1, 2))
    assert not any("no longer belong" in note.text for note in after.notes)


def test_all_rows_with_a_verdict_are_confirmed_when_asked_for_and_only_what_is_new_is_trained(recipe, tmp_path):
    go(recipe, tmp_path, confirm=2)
    end, notes = go(recipe, tmp_path, confirm=2, confirm_rows="all")
    assert {label.split()[0] for label in notes.begun} == {"baseline", "slow", "same"}
    assert [one.rows for one in end.study.manifest.confirmations] == [("fast",), ("same", "slow")]
    assert [one.seeds for one in end.study.manifest.confirmations] == [(10, 11), (20, 21)]


def test_more_seeds_for_a_confirmed_row_are_fresh_ones_and_count_as_a_second_try(recipe, tmp_path):
    go(recipe, tmp_path, confirm=2)
    end, notes = go(recipe, tmp_path, confirm=3)
    assert [label.split()[-1] for label in notes.begun[::2]] == ["20", "21", "22"]
    confirmed = analysis_of(end).row("fast").confirmed
    assert (confirmed.seeds, confirmed.goes) == ((10, 11, 20, 21, 22), 2)


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [("1.0e-5", "2.0e-5", ("fast", "same")), ("batch_size: 16", "batch_size: 15", ())],
    ids=["one row", "the baseline"],
)
def test_a_row_that_means_something_else_loses_its_confirmation_and_the_others_keep_theirs(
    recipe, tmp_path, old, new, kept
):
    go(recipe, tmp_path, confirm=3, confirm_rows="fast,slow,same")
    recipe.write_text(recipe.read_text().replace(old, new))
    end, _ = go(recipe, tmp_path, changed=True)
    confirmations = end.study.store.manifest().confirmations
    assert tuple(row for one in confirmations for row in one.rows) == kept
    assert all(set(one.keys) == {"baseline", *one.rows} for one in confirmations)


def test_a_study_run_until_settled_is_confirmed_on_seeds_outside_its_looks(recipe, tmp_path):
    end, notes = go(recipe, tmp_path, seeds=None, until="settled", worth="2%", budget="12", confirm=2)
    assert end.study.manifest.confirmations[0].seeds == (20, 21)
    assert notes.begun[-4:] == ["baseline seed 20", "fast seed 20", "baseline seed 21", "fast seed 21"]


def test_a_study_that_goes_on_until_settled_never_buys_a_seed_that_confirmed(recipe, tmp_path):
    go(recipe, tmp_path, confirm=2)
    end, _ = go(recipe, tmp_path, seeds=None, until="settled", worth="2%")
    assert not set(end.study.manifest.schedule.seeds) & {10, 11}
    assert len(end.study.manifest.schedule.seeds) == 12


def test_seeds_that_confirmed_cannot_be_chosen_for_the_study(recipe, tmp_path):
    go(recipe, tmp_path, confirm=2)
    with pytest.raises(AblateError, match="confirmed on the seeds 10, 11: they cannot choose as well"):
        go(recipe, tmp_path, seeds="0-11")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confirm": 2, "confirm_rows": "fasst"}, "--confirm-rows fasst: no patch or control has that name"),
        ({"confirm": 2, "confirm_rows": "slow", "variants": "fast"}, "`slow` cannot be confirmed"),
    ],
)
def test_a_row_that_is_not_there_is_refused_and_nothing_is_planned(recipe, tmp_path, options, message):
    go(recipe, tmp_path)
    with pytest.raises(AblateError, match=message):
        go(recipe, tmp_path, **options)
    assert Store(tmp_path / "results" / "tiny").manifest().confirmations == ()


def test_where_nothing_helps_nothing_is_confirmed_and_it_is_said_why(recipe, tmp_path):
    end, notes = go(recipe, tmp_path, variants="slow", confirm=2)
    assert notes.stages == []
    assert end.unconfirmed == "no row is `winner`, so there is nothing to confirm"


def test_ctrl_c_keeps_what_is_done_and_the_next_start_ends_as_if_nothing_had_happened(recipe, tmp_path, monkeypatch):
    whole, _ = go(recipe, tmp_path / "whole", confirm=3)
    go(recipe, tmp_path / "cut")

    def impatient(job):
        if job.seed == 11 and job.variant == "fast":
            signal.raise_signal(signal.SIGINT)
        return scored(job)

    with monkeypatch.context() as patched:
        plant(patched, impatient)
        cut, _ = go(recipe, tmp_path / "cut", confirm=3)
    assert cut.interrupted
    state = analysis_of(cut).row("fast").confirmed
    assert state.repeat is None
    assert 0 < state.runs_ended < state.runs_planned
    assert "not confirmed yet (" in analysis_of(cut).answer
    end, notes = go(recipe, tmp_path / "cut", confirm=3)
    assert len(notes.begun) == state.runs_planned - state.runs_ended
    assert plain(end.study.store) == plain(whole.study.store)
    assert analysis_of(end).row("fast").confirmed == analysis_of(whole).row("fast").confirmed


def test_the_program_confirms_and_a_report_of_the_committed_records_says_so(recipe, tmp_path):
    out = tmp_path / "results"
    words = ["run", str(recipe), "--seeds", "0-2", "--out", str(out), "--device", "cpu", "--inline"]
    done = CliRunner().invoke(app, [*words, "--confirm", "2"])
    assert done.exit_code == 0, done.output
    assert "confirming fast on the fresh seeds 10-11: 4 runs" in done.output
    store = Store(out / "tiny")
    store.pack()
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("study.json", "records.jsonl"):
        (clone / name).write_bytes((store.root / name).read_bytes())
    here, there = (analyse(one.manifest(), one.records()) for one in (store, Store(clone)))
    assert there.row("fast").confirmed == here.row("fast").confirmed
    assert there.row("fast").confirmed.repeat == "repeats"
    assert "fast helps most surely, confirmed on seeds 10-11: +" in there.answer
    assert garbage(store) == ()


def test_confirm_rows_without_confirm_is_refused(recipe):
    told = CliRunner().invoke(app, ["run", str(recipe), "--confirm-rows", "all"])
    assert "--confirm-rows needs `--confirm`" in str(told.exception)
