"""Exponential moving average of the weights (Polyak & Juditsky 1992): average <- d average + (1 - d) weights.

The decay d ramps up over the first steps (`schedule.average_decay`). Only trainable parameters are averaged; buffers
(running statistics) are the model's own. Differs in: the average is put into the model in place, so that a compiled
model and hooks see the same tensors.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ablate.training.optimization.schedule import average_decay


class MovingAverage:
    """The averaged weights beside a model; with decay 0 it is off and lends the model its own weights."""

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.weights = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
        self.averages = {name: value.clone() for name, value in self.weights.items()} if decay else {}

    @torch.no_grad()
    def update(self, taken: int) -> None:
        """Takes in the weights after `taken` steps."""
        if self.averages:
            decay = average_decay(taken, self.decay)
            torch._foreach_lerp_(list(self.averages.values()), list(self.weights.values()), 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the model computes with the averages; outside, with its own weights, unchanged to the last bit."""
        own = {name: self.weights[name].clone() for name in self.averages}
        copy_into(self.weights, self.averages)
        try:
            yield
        finally:
            copy_into(self.weights, own)

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self.averages)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        copy_into(self.averages, state)


@torch.no_grad()
def copy_into(targets: Mapping[str, Tensor], sources: Mapping[str, Tensor]) -> None:
    """Copies values by name, in place; every source must have its target."""
    for name, source in sources.items():
        targets[name].copy_(source)


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """What training changes: trainable parameters and persistent buffers, by name, sharing memory with the model.

    Frozen parameters are left out: they are rebuilt with the model, and a frozen encoder can be far larger than the
    rest.
    """
    trainable = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
    persistent = model.state_dict(keep_vars=True).keys()
    buffers = {name: value for name, value in model.named_buffers() if name in persistent}
    return {**trainable, **buffers}
