"""What the loop trains: a model of any kind, ours or a user's own. Built with `build(spec)`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ablate.contract.recompute import Recomputing
from ablate.contract.spec import DataSpec


class Model(nn.Module):
    """A model must write `forward`; all else has a default. The loop cannot know which variant it trains."""

    receptive_field: Mapping[str, float] | None = None
    """Frames and pixels that one step of the backbone depends on; None where it is not known."""
    reads_spikes: int = 0
    """Bins of counts before a scored bin that its rate is given; with any, scores are conditional on spikes."""

    def forward(self, batch: Any) -> tuple[Tensor, ...]:  # a model names the kind of batch that it is made for
        """One prediction a target: log-rates (b, n, u) for spikes, log-probabilities (b, n, classes) for labels, mean
        and log standard deviation (b, n, k, 2) of z-scored numbers."""
        raise NotImplementedError

    def begin(self) -> None:
        """Before training, once it is built: weights that come from elsewhere than a draw are put in."""

    def penalty(self) -> Tensor:
        """The regularisers, a scalar added to the loss: none."""
        return torch.zeros((), device=self.device)

    def progress(self, fraction: float) -> None:
        """Hears before each step how much of training is done, 0 to 1: schedules inside the model follow it."""

    def recompute(self) -> int:
        """Keeps for the backward pass what pieces are given, where a part has such pieces, and computes the rest again
        (`training.activation_checkpointing`). Gives how many parts have."""
        found = [module for module in self.modules() if isinstance(module, Recomputing)]
        for module in found:
            module.recomputes = True
        return len(found)

    def parts(self) -> Mapping[str, nn.Module | Sequence[nn.Module]]:
        """The modules of each part that the tables list, in the order of the flow: one, the model as a whole."""
        return {"model": self}

    def backbone(self) -> nn.Module | None:
        """The module whose output (b d t h w) is counted as tokens in time and space; None where there is none."""
        return None

    def lints(self) -> Iterator[str]:
        """Warnings about options, each with the key path of its option in front."""
        yield from ()

    def cost_notes(self) -> dict[str, str]:
        """What a cost table says of the model beyond counts."""
        return {}

    def measures(self) -> dict[str, float]:
        """What is measured of the trained model beside its score, by name; empty where there is nothing."""
        return {}

    def gates(self) -> dict[str, float]:
        """How far each gate has opened, for the learning curve; empty where there is none."""
        return {}

    @property
    def device(self) -> torch.device:
        """Where its parameters lie."""
        return next((p.device for p in self.parameters()), torch.device("cpu"))


@runtime_checkable
class ModelOptions(Protocol):
    """What is asked of the configuration of any model."""

    def build(self, spec: DataSpec) -> Model:
        """The model for this data. Raises AblateError where they do not fit."""
        ...
