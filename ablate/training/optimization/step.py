"""One optimizer step of any model on any batches: draw, forward, backward, clip, update, average.

A step's batch is drawn whole and cut, over the ranks that train together and into `accumulate` micro-batches: the same
rows whatever their numbers. Each piece's share of the gradient is its share of the step's valid entries, so that the
gradient is that of the uncut batch; the penalty's is the first rank's to add.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from ablate.contract import Batch, Dataset, Model
from ablate.disk.read import Json
from ablate.training.class_weights import class_weights
from ablate.training.config import TrainingConfig
from ablate.training.device import autocast
from ablate.training.likelihood import likelihood_of, with_likelihood
from ablate.training.loss import count_entries, summed_loss
from ablate.training.optimization.average import MovingAverage, copy_into, trained_tensors
from ablate.training.optimization.optimizer import build_optimizer
from ablate.training.optimization.schedule import learning_rate
from ablate.training.ranks import ALONE, Ranks
from ablate.training.seed import stream_seed


class StepLosses(NamedTuple):
    """What one step measured, still on its device: reading it there costs a wait."""

    loss: Tensor
    """Nats a valid entry, before the update."""
    penalty: Tensor
    grad_norm: Tensor
    """Global norm before clipping."""


class Learner:
    """A model with all that changes while it learns, apart from the random states."""

    def __init__(
        self,
        model: Model,
        dataset: Dataset,
        config: TrainingConfig,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks = ALONE,
    ):
        self.model, self.config, self.device = with_likelihood(model, config, dataset.spec), config, device
        self.ranks, self.dropout_seed = ranks, stream_seed(seed, "dropout", config.reseed)
        self.counts = likelihood_of(model)
        self.task, self.weights = dataset.spec.task, class_weights(config, dataset.spec, device)
        self.parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = build_optimizer(model, config, device)
        self.average = MovingAverage(model, config.ema)
        data_seed = stream_seed(seed, "data", config.reseed)
        self.batches = dataset.train(seed=data_seed, batch_size=config.batch_size)

    def step(self, taken: int) -> StepLosses:
        """The step that follows `taken` steps."""
        self.model.progress(taken / self.config.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(taken, self.config)
        self.ranks.reseed(self.dropout_seed, taken)
        loss, penalty = self._gradient(next(self.batches))
        limit = self.config.clip or float("inf")
        grad_norm = nn.utils.clip_grad_norm_(self.parameters, limit)
        self.optimizer.step()
        self.average.update(taken + 1)
        return StepLosses(loss, penalty, grad_norm.detach())

    def _gradient(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Leaves the gradient of mean loss plus penalty in the parameters; returns both."""
        self.optimizer.zero_grad(set_to_none=True)
        total = count_entries(batch).clamp(min=1)
        parts = []
        for piece in self.ranks.share(batch, self.config.accumulate):
            with autocast(self.device, self.config.precision):
                predictions = self.model(piece)
            loss = summed_loss(predictions, piece, self.task, self.counts, self.weights) / total
            loss.backward()
            parts.append(loss.detach())
        nothing = torch.zeros((), device=self.device)
        penalty = self.model.penalty() if self.ranks.first else nothing
        if penalty.requires_grad:
            penalty.backward()
        loss = torch.stack(parts).sum() if parts else nothing
        loss, penalty = self.ranks.add_up(self.parameters, torch.stack([loss, penalty.detach().float()])).unbind()
        return loss, penalty

    def kept_weights(self) -> dict[str, Tensor]:
        """A copy of what the model would be scored with now: averages where there are any, buffers."""
        with self.average.applied():
            return {name: value.detach().clone() for name, value in trained_tensors(self.model).items()}

    def state_dict(self) -> Json:
        """Everything that the next step depends on, apart from the random states and the number of steps taken."""
        return {
            "weights": trained_tensors(self.model),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict()["state"],
            "batches": dict(self.batches.state_dict()),
        }

    def load_state_dict(self, state: Json) -> None:
        copy_into(trained_tensors(self.model), state["weights"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state["optimizer"]})
        self.batches.load_state_dict(state["batches"])
