from typing import get_args

import pytest
from pydantic import ValidationError

from ablate.recipe.vocabulary.help import help_of
from ablate.training import TrainingConfig
from ablate.training.config import REHEARSAL_STEPS


def test_every_field_has_a_help_text():
    for name in TrainingConfig.model_fields:
        assert help_of(TrainingConfig, name), name


def test_bookkeeping_fields_exist():
    assert set(TrainingConfig.bookkeeping) <= set(TrainingConfig.model_fields)


@pytest.mark.parametrize("field", ["schedule", "precision", "select"])
def test_every_value_of_a_choice_is_accepted(field):
    values = get_args(TrainingConfig.model_fields[field].annotation)
    assert len(values) >= 2
    for value in values:
        assert getattr(TrainingConfig(**{field: value}), field) == value


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"batch_size": 6, "accumulate": 4},
        {"steps": 10, "warmup_steps": 10},
        {"ema": 1.0},
        {"betas": (0.9,)},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"learning_rte": 1e-3},
    ],
)
def test_a_senseless_value_is_refused(wrong):
    with pytest.raises(ValidationError):
        TrainingConfig(**wrong)


@pytest.mark.parametrize("config", [TrainingConfig(), TrainingConfig(steps=1, warmup_steps=0, batch_size=1)])
def test_a_rehearsal_is_short_and_evaluates(config):
    rehearsal = config.rehearsal()
    assert rehearsal.steps <= REHEARSAL_STEPS
    assert rehearsal.warmup_steps < rehearsal.steps


def test_a_rehearsal_keeps_everything_else():
    config = TrainingConfig(learning_rate=3e-4, accumulate=4, batch_size=32, select="last", reseed=3)
    rehearsal = config.rehearsal()
    assert rehearsal.accumulate == 4
    assert rehearsal.batch_size == 8
    assert (rehearsal.learning_rate, rehearsal.select, rehearsal.reseed) == (3e-4, "last", 3)
