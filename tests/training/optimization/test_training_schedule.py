import math

import pytest
import torch

from ablate.training import TrainingConfig
from ablate.training.optimization.schedule import LOG_ROWS, average_decay, evaluation_due, learning_rate, row_due


def test_warm_up_rises_linearly_and_never_from_zero():
    config = TrainingConfig(steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(step, config) for step in range(10)]
    assert rates == pytest.approx([0.1 * (step + 1) for step in range(10)])


def test_the_cosine_equals_torchs_after_the_warm_up():
    config = TrainingConfig(steps=60, warmup_steps=10, learning_rate=2e-3, final_fraction=0.1)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50, eta_min=2e-4)
    for step in range(9, 60):
        assert learning_rate(step, config) == pytest.approx(reference.get_last_lr()[0])
        optimizer.step()
        reference.step()


def test_the_last_step_has_the_final_fraction():
    config = TrainingConfig(steps=50, warmup_steps=0, learning_rate=1.0, final_fraction=0.25)
    assert learning_rate(49, config) == pytest.approx(0.25)


def test_a_constant_schedule_stays_at_the_peak():
    config = TrainingConfig(steps=50, warmup_steps=5, learning_rate=1.0, schedule="constant")
    assert {learning_rate(step, config) for step in range(4, 50)} == {1.0}


def test_the_averages_decay_ramps_up_to_its_value():
    decays = [average_decay(taken, 0.9) for taken in range(1, 200)]
    assert decays[0] == pytest.approx(2 / 11)
    assert decays == sorted(decays)
    assert decays[-1] == 0.9


def test_the_last_step_is_always_evaluated_and_the_start_never():
    config = TrainingConfig(steps=25, evaluate_every=10, warmup_steps=0)
    assert [taken for taken in range(26) if evaluation_due(taken, config)] == [10, 20, 25]


def test_the_learning_curve_stays_small_and_has_every_evaluation():
    config = TrainingConfig(steps=7000, evaluate_every=333)
    rows = {taken for taken in range(1, 7001) if row_due(taken, config)}
    assert len(rows) <= LOG_ROWS + math.ceil(7000 / 333)
    assert all(taken in rows for taken in range(1, 7001) if evaluation_due(taken, config))
