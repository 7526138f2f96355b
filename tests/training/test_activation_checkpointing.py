"""A run that computes activations again: the same bits, the same key, and told where there is nothing to compute."""

import json

import pytest
import torch
from forked_ranks import in_ranks
from torch import nn
from training_toys import CPU, ToyDataset, ToyModel, bits, small_config, train_toy

from ablate.contract import Recomputing
from ablate.training import Checkpoints, Listener, TrainingConfig, fit, seeded
from ablate.training.ranks import ALONE
from ablate.training.run import identity


class Pieces(Recomputing):
    """What a toy model's hidden layer gives, through three pieces with dropout."""

    def __init__(self, width: int = 8):
        super().__init__()
        self.forwards = 0
        self.pieces = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Dropout(0.3)) for _ in range(3)
        )

    def forward(self, x):
        for piece in self.pieces:
            x = self.through(self._counted(piece), x)
        return x

    def _counted(self, piece):
        def call(x):
            self.forwards += 1
            return piece(x)

        return call


def trained(dataset, *, folder=None, stop=None, ranks=ALONE, **changes):
    config = small_config(steps=12, checkpoint_seconds=0.0, **changes)
    with seeded(0):
        model = ToyModel(dataset.spec)
        model.dropout = Pieces()
        model.norm = nn.LayerNorm(8)  # of single rows, as several devices need it
    checkpoints = Checkpoints(folder) if folder else None
    return fit(model, dataset, config, seed=0, device=CPU, checkpoints=checkpoints, stop=stop, ranks=ranks)


@pytest.mark.parametrize("changes", [{}, {"accumulate": 2}, {"precision": "bf16"}], ids=["plain", "cut", "bf16"])
def test_a_run_ends_with_the_bits_of_one_that_keeps_all(toy_dataset, changes):
    plain = trained(toy_dataset, **changes)
    again = trained(toy_dataset, activation_checkpointing=True, **changes)
    assert bits(again.model) == bits(plain.model)
    assert json.dumps(again.history) == json.dumps(plain.history)
    assert again.model.dropout.forwards > 1.5 * plain.model.dropout.forwards


def test_a_run_taken_up_again_with_it_or_without_ends_with_the_same_bits(toy_dataset, tmp_path):
    polls = iter([*[False] * 7, True])
    first = trained(toy_dataset, folder=tmp_path, stop=lambda: next(polls))
    assert first.state == "interrupted"
    assert bits(trained(toy_dataset, folder=tmp_path, activation_checkpointing=True).model) == bits(
        trained(toy_dataset).model
    )


def test_two_devices_end_with_the_bits_of_two_that_keep_all(toy_dataset, tmp_path):
    def both(ranks):
        return [
            bits(trained(toy_dataset, ranks=ranks, activation_checkpointing=again).model) for again in (False, True)
        ]

    for plain, again in in_ranks(2, tmp_path / "ranks", both):
        assert plain == again


def test_it_enters_no_key(toy_dataset):
    assert "activation_checkpointing" in TrainingConfig.bookkeeping
    model = ToyModel(toy_dataset.spec)
    one, other = (
        identity(model, toy_dataset, small_config(activation_checkpointing=again), 0) for again in (False, True)
    )
    assert one == other


def test_a_model_that_has_nothing_to_compute_again_is_told():
    class Told(Listener):
        said = ""

        def on_told(self, what):
            self.said = what

    listener = Told()
    train_toy(small_config(steps=6, activation_checkpointing=True), dataset=ToyDataset(), listener=listener)
    assert listener.said == "activation checkpointing: no part of this model has pieces to compute again"


def test_a_pass_that_changes_what_it_computed_is_caught(toy_dataset, monkeypatch):
    """Planted: the second pass through a piece draws other random numbers."""
    from ablate.contract import recompute

    plain = trained(toy_dataset)
    monkeypatch.setattr(
        recompute,
        "checkpoint",
        lambda piece, *inputs, use_reentrant: torch.utils.checkpoint.checkpoint(
            piece, *inputs, use_reentrant=use_reentrant, preserve_rng_state=False
        ),
    )
    assert bits(trained(toy_dataset, activation_checkpointing=True).model) != bits(plain.model)
