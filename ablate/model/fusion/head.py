"""EEG tokens in, predictions out: the mean over an interval's (or the trial's) tokens, then a linear map.

    classes  log softmax(W x + b)          b starts at the log of the class prior
    numbers  (W x + b, ln s)               mean and log standard deviation in the training split's own, z-scored

An untrained model scores about zero bits: W is a tenth of its usual size, and a number is guessed as the training
split's mean and deviation. ln s is learned, one for each number and the same for all trials: a deviation that follows
the input is fitted to training residuals and overconfident where trials are few (Seitzer et al. 2022, ICLR, show how it
also spoils the mean). A model of one's own may give any.
"""

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ablate.contract import FusionSpec

SMALL = 0.1


class Pooled(nn.Module):
    """(b, e, d) tokens to (b, n, d), normalised."""

    def __init__(self, width: int, spec: FusionSpec, dropout: float):
        super().__init__()
        self.groups = spec.intervals if spec.labels_per == "interval" else 1
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def pooled(self, tokens: Float[Tensor, "b e d"], lasting: Bool[Tensor, "b i"] | None) -> Float[Tensor, "b n d"]:
        """lasting: which intervals a trial has; the tokens of others are in no trial's mean."""
        grouped = rearrange(self.norm(tokens), "b (n k) d -> b n k d", n=self.groups)
        if lasting is None or self.groups > 1:  # an interval's own tokens are all there, or none is scored
            return self.dropout(grouped.mean(dim=2))
        counted = repeat(lasting, "b i -> b 1 (i k) 1", k=tokens.shape[1] // lasting.shape[1])
        total = grouped.masked_fill(~counted, 0.0).sum(dim=2)
        return self.dropout(total / counted.sum(dim=2).clamp(min=1))


class ClassHead(Pooled):
    """To log-probabilities."""

    def __init__(self, width: int, spec: FusionSpec, dropout: float):
        super().__init__(width, spec, dropout)
        self.linear = nn.Linear(width, spec.classes)
        with torch.no_grad():
            prior = torch.tensor(spec.class_prior).clamp(min=1e-6)
            self.linear.bias.copy_(prior.log())
            self.linear.weight.mul_(SMALL)

    def forward(
        self, tokens: Float[Tensor, "b e d"], lasting: Bool[Tensor, "b i"] | None = None
    ) -> Float[Tensor, "b n k"]:
        return self.linear(self.pooled(tokens, lasting)).log_softmax(dim=-1)


class ValueHead(Pooled):
    """To mean and log standard deviation of each target."""

    def __init__(self, width: int, spec: FusionSpec, dropout: float):
        super().__init__(width, spec, dropout)
        self.linear = nn.Linear(width, len(spec.targets))
        self.log_sd = nn.Parameter(torch.zeros(len(spec.targets)))
        with torch.no_grad():
            self.linear.bias.zero_()
            self.linear.weight.mul_(SMALL)

    def forward(
        self, tokens: Float[Tensor, "b e d"], lasting: Bool[Tensor, "b i"] | None = None
    ) -> Float[Tensor, "b n k 2"]:
        mean = self.linear(self.pooled(tokens, lasting))
        return torch.stack([mean, self.log_sd.to(mean.dtype).expand_as(mean)], dim=-1)


def head_for(spec: FusionSpec, width: int, dropout: float) -> ClassHead | ValueHead:
    """The head of the data's task."""
    made = ValueHead if spec.task == "values" else ClassHead
    return made(width, spec, dropout)
