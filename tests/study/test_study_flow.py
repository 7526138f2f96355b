"""The flow of a study: what is trained, what is kept, what is recorded."""

import dataclasses

import pytest
import torch
from tiny_study import BASELINE, PATCHES, TRAINING, plain, request_of, run_files, write_recipe

from ablate.cli.command.run import finished_study
from ablate.errors import AblateError
from ablate.result import Store
from ablate.study import flow
from ablate.study.flow import run_study
from ablate.study.running import train, workers
from ablate.study.running.watcher import Watcher
from ablate.study.running.workers import visible_gpus
from ablate.study.study import study_of


class Notes(Watcher):
    """Writes down which runs began."""

    def __init__(self):
        self.begun, self.ended, self.planned_keys = [], [], []
        self.study = None

    def planned(self, study, todo):
        self.study, self.planned_keys = study, [job.key for job in todo]
        self._labels = {job.key: job.label for job in todo}

    def event(self, event):
        if event.kind == "started":
            self.begun.append(self._labels[event.key])
        if event.kind == "ended":
            self.ended.append((self._labels[event.key], event.outcome.state))


@pytest.fixture
def recipe(tmp_path):
    return write_recipe(tmp_path)


def go(recipe, tmp_path, **options):
    notes = Notes()
    end = run_study(request_of(recipe, tmp_path / "results", **options), notes)
    return end, notes


def test_a_patch_that_runs_without_the_baseline_still_says_what_it_changes(recipe, tmp_path):
    """It was compared with itself, and the report said that it changes nothing."""
    whole, alone = (study_of(request_of(recipe, tmp_path / "results", only=only)) for only in (None, "fast"))
    told = {entry.name: (entry.changes, entry.differences) for entry in whole.manifest.variants}
    (entry,) = alone.manifest.variants
    assert entry.changes != "nothing"
    assert (entry.changes, entry.differences) == told["fast"]


def test_runs_begin_seed_by_seed_and_the_baseline_first(recipe, tmp_path):
    end, notes = go(recipe, tmp_path, seeds="0,1")
    assert notes.begun[0] == "baseline seed 0"
    assert [label.split()[-1] for label in notes.begun] == ["0"] * (len(notes.begun) // 2) + ["1"] * (
        len(notes.begun) // 2
    )
    assert end.trained == len(end.study.jobs)
    assert not end.failures
    store = end.study.store
    assert {record.state for record in store.records()} == {"done"}
    assert store.verify_hashes() == ()
    for job in end.study.jobs:
        key = job.key
        assert {path.name for path in store.folder(key).iterdir()} >= {
            "config.json",
            "hashes.json",
            "history.jsonl",
            "record.json",
            "units.json",
            "weights.safetensors",
        }
    assert not list((store.root / "checkpoints").glob("*"))


def test_the_same_study_again_trains_nothing(recipe, tmp_path):
    first, _ = go(recipe, tmp_path)
    before = run_files(first.study.store, "record.json", "weights.safetensors")
    second, notes = go(recipe, tmp_path)
    assert notes.begun == []
    assert second.trained == 0
    assert second.kept == len(first.study.jobs)
    assert run_files(second.study.store, "record.json", "weights.safetensors") == before


def test_a_new_patch_or_seed_or_reference_trains_only_what_is_new(tmp_path):
    recipe = write_recipe(tmp_path)
    go(recipe, tmp_path)
    _, notes = go(recipe, tmp_path, seeds="0,1", variants="baseline")
    assert notes.begun == ["baseline seed 1"]
    slow = PATCHES + "  slow: {title: a lower learning rate, training: {learning_rate: 3.0e-4}}\n"
    _, notes = go(write_recipe(tmp_path, patches=slow), tmp_path)
    assert notes.begun == ["slow seed 0"]
    path = write_recipe(tmp_path, patches=slow)
    path.write_text(path.read_text().replace("references: {}", "references: {wide: {convnet: {embedding_dim: 12}}}"))
    end, notes = go(path, tmp_path)
    assert notes.begun == ["wide seed 0"]
    assert end.study.manifest.seeds == (0, 1)
    assert {"baseline", "fast", "slow", "wide"} <= {entry.name for entry in end.study.manifest.variants}


def test_a_recipe_that_changed_its_meaning_is_refused_until_told(tmp_path):
    go(write_recipe(tmp_path), tmp_path)
    changed = write_recipe(tmp_path, training=TRAINING.replace("steps: 6", "steps: 7"))
    with pytest.raises(AblateError, match="now mean something else than when this study began") as told:
        go(changed, tmp_path)
    assert "--changed" in str(told.value)
    store = Store(tmp_path / "results" / "tiny")
    assert all(record.config["training"]["steps"] == 6 for record in store.records())
    end, _ = go(changed, tmp_path, changed=True)
    assert end.trained == len(end.study.jobs)


def test_a_reworded_recipe_is_the_same_study(tmp_path):
    recipe = write_recipe(tmp_path)
    go(recipe, tmp_path)
    recipe.write_text("# a remark\n" + recipe.read_text().replace("a higher learning rate", "faster"))
    _, notes = go(recipe, tmp_path)
    assert notes.begun == []


def test_one_configuration_under_two_names_is_trained_once(tmp_path):
    recipe = write_recipe(tmp_path, tail="variants: [each, ladder: [fast]]\nseeds: [0]\n")
    _, notes = go(recipe, tmp_path)
    assert sorted(label for label in notes.begun if label.startswith("fast")) == ["fast seed 0"]


def break_training(monkeypatch, variant, error):
    """Makes the runs of one variant raise."""
    real = train._train

    def raising(job, store, *, stop):
        if job.variant == variant:
            raise error
        real(job, store, stop=stop)

    monkeypatch.setattr(train, "_train", raising)


def test_a_run_that_fails_is_recorded_and_the_others_go_on(recipe, tmp_path, monkeypatch):
    with monkeypatch.context() as broken:
        break_training(broken, "baseline", ValueError("a bug in a user's part"))
        end, _ = go(recipe, tmp_path)
    assert [(job.label, failure.reason) for job, failure in end.failures] == [
        ("baseline seed 0", "ValueError: a bug in a user's part")
    ]
    assert end.trained == len(end.study.jobs) - 1
    store = end.study.store
    key = end.failures[0][0].key
    record = store.record(key)
    assert (record.state, record.config["training"]["steps"]) == ("failed", 6)
    assert record.environment["packages"]["torch"] == str(torch.__version__)
    assert "a bug in a user's part" in (store.folder(key) / "log.txt").read_text()
    again, notes = go(recipe, tmp_path)
    assert notes.begun == []  # a failure is not tried again unasked, and is told again
    assert len(again.failures) == 1
    mended, notes = go(recipe, tmp_path, retry="failed")
    assert notes.begun == ["baseline seed 0"]
    assert not mended.failures
    assert store.record(key).state == "done"


def test_a_run_that_diverges_is_recorded_with_its_step(tmp_path):
    wild = "patches:\n  wild: {title: far too fast, training: {learning_rate: 1.0e+38, clip: 0}}\n"
    end, _ = go(write_recipe(tmp_path, patches=wild), tmp_path)
    states = {record.variant: record for record in end.study.store.records()}
    assert states["wild"].state == "diverged"
    assert "non-finite" in states["wild"].reason or "finite" in states["wild"].reason
    assert states["baseline"].state == "done"
    assert [job.variant for job, _ in end.failures] == ["wild"]


def test_an_interrupted_study_goes_on_and_ends_like_an_undisturbed_one(recipe, tmp_path, monkeypatch):
    undisturbed, _ = go(recipe, tmp_path / "a")
    calls = iter(range(1000))
    real = train.fit

    def interrupted(*arguments, stop, **options):  # at its fourth look, in the middle of the first run
        return real(*arguments, stop=lambda: next(calls) == 3, **options)

    with monkeypatch.context() as disturbed:
        disturbed.setattr(train, "fit", interrupted)
        end, _ = go(recipe, tmp_path / "b")
    assert end.interrupted
    store = end.study.store
    assert [record.state for record in store.records()] == ["interrupted"]
    assert "goes on from there" in store.records()[0].reason
    finished, notes = go(recipe, tmp_path / "b")
    assert notes.begun[0] == "baseline seed 0"
    assert not finished.interrupted
    names = ("weights.safetensors", "history.jsonl", "units.json", "config.json")
    assert run_files(store, *names) == run_files(undisturbed.study.store, *names)
    assert plain(store) == plain(undisturbed.study.store)


def test_a_damaged_record_counts_as_not_yet_run(recipe, tmp_path):
    first, _ = go(recipe, tmp_path)
    store = first.study.store
    key = first.study.jobs[0].key
    before = (store.folder(key) / "weights.safetensors").read_bytes()
    record = store.folder(key) / "record.json"
    record.write_bytes(record.read_bytes()[:100])
    _, notes = go(recipe, tmp_path)
    assert notes.begun == ["baseline seed 0"]
    assert store.record(key).state == "done"
    assert (store.folder(key) / "weights.safetensors").read_bytes() == before


def test_fresh_trains_finished_runs_again(recipe, tmp_path):
    first, _ = go(recipe, tmp_path)
    before = {key: record.finished for key, record in first.study.store.scan().records.items()}
    second, notes = go(recipe, tmp_path, fresh=True)
    assert len(notes.begun) == len(before)
    assert plain(second.study.store).keys() == before.keys()


def test_a_run_that_somebody_else_has_retrained_meanwhile_is_not_trained_twice(recipe, tmp_path):
    end, _ = go(recipe, tmp_path)
    store, job = end.study.store, end.study.jobs[0]
    planned = job.model_copy(update={"replaces": "the hash of an older record"})
    assert train.is_there(store, planned)
    assert not train.is_there(store, job.model_copy(update={"replaces": train.record_hash(store.record(job.key))}))


def test_what_another_process_trains_is_waited_for(recipe, tmp_path, monkeypatch):
    request = request_of(recipe, tmp_path / "results")
    study = study_of(request)
    study.store.root.mkdir(parents=True)
    held = study.store.lock_run(study.jobs[0].key)
    looks = []

    def free_after_a_look(seconds):
        looks.append(seconds)
        held.release()

    real = flow.Stop
    monkeypatch.setattr(flow, "Stop", lambda: released(real(), free_after_a_look))
    notes = Notes()
    end = run_study(request, notes)
    assert ("baseline seed 0", "busy") in notes.ended
    assert ("baseline seed 0", "done") in notes.ended
    assert len(looks) == 1
    assert {record.state for record in study.store.records()} == {"done"}
    assert not end.failures


def released(stop, wait):
    """A stop whose event, when waited for, calls `wait`."""
    stop.event.wait = wait
    return stop


def test_a_quick_run_has_a_folder_of_its_own_and_one_seed(recipe, tmp_path):
    end, _ = go(recipe, tmp_path, quick=True, seeds="0,1")
    assert end.study.store.root.name == "tiny-quick"
    assert end.study.manifest.rehearsal
    assert {record.seed for record in end.study.store.records()} == {0}


def test_a_quick_run_is_compared_with_the_rehearsed_baseline(tmp_path):
    """Each row said "changes min_spikes 20 -> 1; frames 24000 -> 6000", since the baseline was the unrehearsed one."""
    recipe = write_recipe(
        tmp_path, training="training: {steps: 60, batch_size: 4, warmup_steps: 1, evaluate_every: 30}\n"
    )
    whole, quick = (study_of(request_of(recipe, tmp_path / "results", quick=quick)) for quick in (False, True))
    changes = [{entry.name: entry.changes for entry in study.manifest.variants} for study in (whole, quick)]
    assert changes[0] == changes[1]
    assert (changes[0]["baseline"], changes[0]["fast"]) == ("", "learning_rate 0.001 -> 0.003")
    alone = study_of(request_of(recipe, tmp_path / "results", quick=True, only="fast"))
    assert alone.manifest.variants[0].changes == changes[0]["fast"]


def test_only_leaves_the_baseline_out_and_variants_keeps_it(recipe, tmp_path):
    request = request_of(recipe, tmp_path / "results", only="fast")
    assert {job.variant for job in study_of(request).jobs} == {"fast"}
    request = dataclasses.replace(request, only=None, variants="fast")
    assert {job.variant for job in study_of(request).jobs} >= {"baseline", "fast"}
    with pytest.raises(AblateError, match="no variant is called `nope`"):
        study_of(dataclasses.replace(request, variants="nope"))


def test_a_study_that_was_begun_without_its_baseline_is_not_finished_with_it(recipe, tmp_path):
    first = request_of(recipe, tmp_path / "results", only="fast")
    assert run_study(first).trained == 1
    assert finished_study(first) is not None
    second = request_of(recipe, tmp_path / "results", variants="fast")
    assert finished_study(second) is None
    assert run_study(second).trained == 1
    assert finished_study(second) is not None


def test_data_are_opened_once_where_runs_are_forked_from(recipe, tmp_path, monkeypatch):
    study = study_of(request_of(recipe, tmp_path / "results", seeds="0,1", sets=("data.fraction=0.5",)))
    shared = workers.shared_data(study.jobs)
    assert [one["data"]["fraction"] for one in shared["configurations"]] == [0.5]
    monkeypatch.setattr(train, "_opened", {})
    train.share_data(shared)
    dataset = train.open_data(study.jobs[0].configuration, torch.device("cpu"))
    assert list(train._opened.values()) == [dataset]
    moved = train.open_data(study.jobs[0].configuration, torch.device("meta"))  # to a device: from what is open
    assert moved.recordings is dataset.recordings


def test_gpus_are_those_that_this_process_may_see(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus(torch.device("cuda")) == ("0", "1")
    assert visible_gpus(torch.device("cuda:1")) == ("1",)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,3")
    assert visible_gpus(torch.device("cuda")) == ("5", "3")
    assert visible_gpus(torch.device("cuda:1")) == ("3",)


def test_options_that_change_no_number_change_no_key(recipe, tmp_path):
    keys = [job.key for job in study_of(request_of(recipe, tmp_path)).jobs]
    sets = ("training.checkpoint_every=2",)
    assert [job.key for job in study_of(request_of(recipe, tmp_path, sets=sets)).jobs] == keys
    sets = ("training.steps=8",)
    assert not set(keys) & {job.key for job in study_of(request_of(recipe, tmp_path, sets=sets)).jobs}


def test_a_prediction_that_is_rewritten_after_the_first_run_is_told(tmp_path):
    go(write_recipe(tmp_path), tmp_path)
    expecting = PATCHES.replace("fast: {", "fast: {expect: [0.03, 0.05], ")
    end, notes = go(write_recipe(tmp_path, patches=expecting), tmp_path)
    assert notes.begun == []
    assert end.study.manifest.expectation_changes == ("fast: no expectation became +3..+5 % after the first run",)


def test_the_recipe_must_fit_its_data(tmp_path):
    recipe = write_recipe(
        tmp_path,
        baseline=BASELINE.replace("stride: [4, 4, 4]", "stride: [3, 4, 4]").replace(
            "kernel_size: [4, 4, 4]", "kernel_size: [3, 4, 4]"
        ),
    )
    with pytest.raises(AblateError) as told:
        study_of(request_of(recipe, tmp_path))
    assert "hint:" in str(told.value)
