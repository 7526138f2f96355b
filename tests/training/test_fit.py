import hashlib
import math
import warnings

import pytest
import torch
from torch import nn
from training_toys import CPU, ToyDataset, ToyModel, bits, small_config, train_toy

from ablate.contract import Model, Target
from ablate.data.coincidence import CoincidenceConfig
from ablate.training import Listener, evaluate, fit, seeded, stream_seed
from ablate.training.optimization.step import Learner


class Notes(Listener):
    def __init__(self):
        self.steps, self.validations = [], []

    def on_step(self, step, steps, loss):
        self.steps.append((step, steps, loss))

    def on_validation(self, step, score):
        self.validations.append((step, score.headline))


def test_the_same_seed_gives_the_same_weights_to_the_last_bit():
    first, second = train_toy(small_config()), train_toy(small_config())
    assert bits(first.model) == bits(second.model)
    assert first.history == second.history


def test_two_seeds_and_two_salts_give_different_weights():
    weights = [
        bits(train_toy(small_config(steps=6), seed=0).model)["hidden.weight"],
        bits(train_toy(small_config(steps=6), seed=1).model)["hidden.weight"],
        bits(train_toy(small_config(steps=6, reseed=1), seed=0).model)["hidden.weight"],
    ]
    assert len(set(weights)) == 3


def test_a_salt_changes_dropout_and_the_order_of_batches_too(toy_dataset):
    def losses(reseed, dropout):
        with seeded(0):
            model = ToyModel(toy_dataset.spec, dropout=dropout)
        config = small_config(steps=6, reseed=reseed)
        return [row["loss"] for row in fit(model, toy_dataset, config, seed=0, device=CPU).history]

    assert losses(0, 0.0) != losses(1, 0.0)  # other batches
    toy_dataset.train = lambda seed, batch_size: ToyDataset.train(toy_dataset, seed=0, batch_size=batch_size)
    assert losses(0, 0.0) == losses(1, 0.0)
    assert losses(0, 0.5) != losses(1, 0.5)  # other units dropped


def test_dropout_never_changes_which_batches_are_seen(toy_dataset):
    seen = []
    for dropout in (0.0, 0.9):
        model = ToyModel(toy_dataset.spec, dropout=dropout)
        rows = []
        model.register_forward_pre_hook(lambda _, inputs, rows=rows: rows.append(inputs[0].inputs[0].tolist()))
        fit(model, toy_dataset, small_config(steps=5), seed=0, device=CPU)
        seen.append(rows)
    assert seen[0] == seen[1]


def test_fitting_leaves_the_generators_as_they_were():
    state = torch.get_rng_state()
    train_toy(small_config(steps=3, warmup_steps=1))
    assert torch.equal(torch.get_rng_state(), state)


def test_training_finds_a_gain_over_the_null():
    config = small_config(steps=150, batch_size=32, evaluate_every=25, learning_rate=1e-2)
    result = train_toy(config, dataset=ToyDataset(rows=600))
    assert result.state == "done"
    assert result.reason == ""
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert max(row.get("validation", -9) for row in result.history) > 0.1


def test_the_kept_weights_are_those_of_the_best_validation(toy_dataset):
    notes = Notes()
    result = train_toy(small_config(steps=60, learning_rate=0.1), dataset=toy_dataset, listener=notes)
    best_step, best = max(notes.validations, key=lambda pair: pair[1])
    assert best_step < 60  # otherwise this test could not fail
    assert result.best_step == best_step
    score, _ = evaluate(result.model, toy_dataset, "validation", batch_size=8, device=CPU)
    assert score.headline == best


def test_select_last_keeps_the_last_average(toy_dataset):
    notes = Notes()
    config = small_config(steps=60, learning_rate=0.1, select="last")
    result = train_toy(config, dataset=toy_dataset, listener=notes)
    score, _ = evaluate(result.model, toy_dataset, "validation", batch_size=8, device=CPU)
    assert result.best_step == 60
    assert score.headline == notes.validations[-1][1]


def test_patience_stops_after_so_many_scores_without_a_new_best():
    notes = Notes()
    result = train_toy(small_config(steps=200, learning_rate=0.3, ema=0.0, patience=3), listener=notes)
    steps = [step for step, _ in notes.validations]
    assert result.state == "done"
    assert result.steps == steps[-1] < 200
    assert result.best_step == steps[-4]


def test_the_average_is_what_is_scored(toy_dataset):
    raw, averaged = Notes(), Notes()
    train_toy(small_config(ema=0.0), dataset=toy_dataset, listener=raw)
    result = train_toy(small_config(ema=0.99), dataset=toy_dataset, listener=averaged)
    assert raw.validations != averaged.validations
    assert [loss for _, _, loss in raw.steps] == [loss for _, _, loss in averaged.steps]
    assert result.best_step


def test_micro_batches_give_the_gradient_of_the_big_batch(toy_dataset):
    gradients = []
    for accumulate in (1, 2, 8):
        with seeded(0):
            model = ToyModel(toy_dataset.spec, dropout=0.0)
        model.norm.eval()  # batch statistics are the one thing that a cut batch changes
        config = small_config(batch_size=16, accumulate=accumulate, clip=0.0)
        learner = Learner(model, toy_dataset, config, seed=0, device=CPU)
        learner.step(0)
        gradients.append({name: value.grad for name, value in model.named_parameters() if value.grad is not None})
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(gradients[2][name], expected, rtol=1e-5, atol=1e-7)


def test_the_gradient_is_clipped_and_its_norm_logged_before(toy_dataset):
    model = ToyModel(toy_dataset.spec)
    learner = Learner(model, toy_dataset, small_config(clip=0.01), seed=0, device=CPU)
    logged = learner.step(0).grad_norm.item()
    gradients = [value.grad for value in model.parameters() if value.grad is not None]
    assert logged > 0.01
    assert nn.utils.get_total_norm(gradients).item() == pytest.approx(0.01, rel=1e-3)


def test_without_a_clip_the_gradient_stays(toy_dataset):
    model = ToyModel(toy_dataset.spec)
    learner = Learner(model, toy_dataset, small_config(clip=0.0), seed=0, device=CPU)
    logged = learner.step(0).grad_norm.item()
    gradients = [value.grad for value in model.parameters() if value.grad is not None]
    assert nn.utils.get_total_norm(gradients).item() == pytest.approx(logged)


def test_the_penalty_is_trained_on(toy_dataset):
    class Bound(ToyModel):
        def penalty(self):
            return 10 * self.place.abs().mean()

    result = fit(Bound(toy_dataset.spec), toy_dataset, small_config(steps=60, learning_rate=0.05), seed=0, device=CPU)
    assert result.history[-1]["penalty"] < 0.5 * result.history[0]["penalty"]


def test_frozen_weights_stay_as_they_were(toy_dataset):
    model = ToyModel(toy_dataset.spec)
    before = model.frozen.weight.clone()
    fit(model, toy_dataset, small_config(), seed=0, device=CPU)
    assert torch.equal(model.frozen.weight, before)


def test_the_model_is_told_how_far_training_is(toy_dataset):
    model = ToyModel(toy_dataset.spec)
    fit(model, toy_dataset, small_config(steps=8, evaluate_every=8), seed=0, device=CPU)
    assert model.fractions == [step / 8 for step in range(8)] + [1.0]  # each step, and the evaluation


def test_a_diverging_run_is_recorded_with_its_step(toy_dataset):
    class Explodes(ToyModel):
        def forward(self, batch):
            blown = float("nan") if self.training and len(self.fractions) == 9 else 0.0
            return tuple(x + blown for x in super().forward(batch))

    result = fit(Explodes(toy_dataset.spec), toy_dataset, small_config(evaluate_every=3), seed=0, device=CPU)
    assert (result.state, result.steps) == ("diverged", 7)  # seven steps and two evaluations told nine fractions
    assert result.reason == "the loss became non-finite at step 7"
    assert all(math.isfinite(row["loss"]) for row in result.history)
    assert result.best_step in (3, 6)
    assert all(value.isfinite().all() for value in result.model.state_dict().values())


def test_a_gradient_that_is_not_finite_diverges_too(toy_dataset):
    class BadGradient(ToyModel):
        def penalty(self):
            return (self.place - self.place).abs().sqrt().sum()  # value 0, gradient NaN

    result = fit(BadGradient(toy_dataset.spec), toy_dataset, small_config(), seed=0, device=CPU)
    assert (result.state, result.reason) == ("diverged", "the gradient became non-finite at step 1")


def test_a_score_that_is_not_finite_diverges_too(toy_dataset):
    class BadInEvaluation(ToyModel):
        def forward(self, batch):
            return tuple(x if self.training else x * float("nan") for x in super().forward(batch))

    result = fit(BadInEvaluation(toy_dataset.spec), toy_dataset, small_config(), seed=0, device=CPU)
    assert (result.state, result.steps) == ("diverged", 6)
    assert result.reason == "validation after step 6: the score of session_0, entry 0, is not finite"


def test_a_learning_rate_that_is_absurd_diverges_rather_than_raises():
    result = train_toy(small_config(learning_rate=1e30, ema=0.0, clip=0.0))
    assert result.state == "diverged"


def test_the_listener_hears_every_step_and_evaluation():
    notes = Notes()
    result = train_toy(small_config(), listener=notes)
    assert [step for step, _, _ in notes.steps] == list(range(1, 25))
    assert [step for step, _ in notes.validations] == [6, 12, 18, 24]
    assert [row["step"] for row in result.history if "validation" in row] == [6, 12, 18, 24]
    assert {row["lr"] for row in result.history if row["step"] == 4} == {1e-2}


def test_a_run_reports_what_it_used():
    usage = train_toy(small_config()).usage()
    assert usage.steps == 24
    assert 0 < usage.step_milliseconds < 1000 * usage.seconds
    assert usage.cpu_seconds is not None
    assert usage.cpu_seconds > 0
    assert usage.peak_memory_bytes > 10_000_000


def test_labels_are_learned_by_the_same_loop():
    from training_toys import ToyBatch, fusion_spec

    class Labels(ToyDataset):
        metric = "bits_per_label"

        def __init__(self):
            super().__init__(units=(1,))
            self.spec = fusion_spec(subjects=("s1",))

        def batch(self, rows):
            labels = (self.x[rows, :, 0] > 0).long()
            target = Target(0, labels, torch.ones_like(labels, dtype=torch.bool), rows)
            return ToyBatch((self.x[rows],), (target,))

    class Classifier(Model):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, batch):
            return (self.linear(batch.inputs[0]).log_softmax(-1),)

    data = Labels()
    with seeded(stream_seed(0, "init")):
        model = Classifier()
    result = fit(model, data, small_config(steps=200, learning_rate=0.1), seed=0, device=CPU)
    score, _ = evaluate(model, data, "test", batch_size=8, device=CPU)
    assert result.state == "done"
    assert score.accuracy > 0.9
    assert 0.5 < score.headline <= 1.0


def test_a_bfloat16_run_learns(toy_dataset):
    result = train_toy(small_config(steps=60, precision="bf16"), dataset=toy_dataset)
    assert result.state == "done"
    assert result.history[-1]["loss"] < result.history[0]["loss"]


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_a_compiled_run_learns_what_the_plain_one_does(toy_dataset, backend, monkeypatch):
    def trained(**changes):
        with seeded(0):
            model = ToyModel(toy_dataset.spec, dropout=0.0)
        return fit(model, toy_dataset, small_config(steps=6, **changes), seed=0, device=CPU)

    compile_module = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self: compile_module(self, backend=backend))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's own deprecations
        compiled = trained(compile=True)
    plain = trained()
    assert compiled.model._compiled_call_impl is not None
    assert (compiled.compilation.compiled, plain.compilation) == (True, None)
    assert 0 < compiled.compilation.seconds < compiled.seconds
    assert compiled.compilation.graphs > 0
    assert [row["loss"] for row in compiled.history] == pytest.approx([row["loss"] for row in plain.history], rel=1e-3)


class Pupil(Model):
    """Keeps a digest of all that it is shown."""

    def __init__(self):
        super().__init__()
        self.weight, self.seen = nn.Parameter(torch.zeros(())), hashlib.sha256()

    def forward(self, batch):
        self.seen.update(batch.eeg.numpy().tobytes())
        return tuple(self.weight.expand(*target.values.shape, 2) for target in batch.targets)


def test_the_same_trials_are_taught_whatever_the_accumulation():
    """`accumulate: 2` once drew other trials than the baseline's: its gain was that of another draw."""
    data = CoincidenceConfig(train_trials=40, validation_trials=4, test_trials=4, intervals=2).open(CPU)
    taught = []
    for accumulate in (1, 2, 4):
        pupil = Pupil()
        learner = Learner(pupil, data, small_config(batch_size=12, accumulate=accumulate), seed=0, device=CPU)
        for step in range(7):  # an epoch of 40 trials is no multiple of 12: leftovers once fell otherwise, too
            learner.step(step)
        taught.append(pupil.seen.hexdigest())
    assert len(set(taught)) == 1
