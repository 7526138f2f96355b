"""The negative log-likelihood of counts, labels and numbers: one definition for training and for scores.

counts: `exp(x) - y x`, x the log-rate (clamped at -20 below, so that a silent unit's rate stays above 2e-9), y the
count; the term ln y! is left out, it depends on no model. Training may take counts for negative binomial instead
(`training/likelihood.py`); scores never do. labels: `-log softmax(x)[y]`, which equals -x[y] for
log-probabilities and keeps a model from gaining by predictions that do not sum to one. values:
`((z - m) / s)^2 / 2 + ln s`, the Gaussian of mean m and standard deviation s (ln s clamped at -7 below); the constant
ln(2 pi) / 2 is left out.

Masked entries are selected away before anything is computed, never multiplied by zero: NaN there reaches neither the
loss nor any gradient (NaN * 0 = NaN).
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from ablate.contract import Batch, Target
from ablate.errors import AblateError
from ablate.metric import Task

LOWEST_LOG_RATE = -20.0
LOWEST_LOG_SD = -7.0  # a thousandth of the training split's: what no rating is known to

CountNll = Callable[[int, Tensor, Tensor], Tensor]
"""Session, log-rates (b, n, u) and counts (b, n, u) in; nats of each count out."""


def poisson_nll(log_rate: Float[Tensor, "*n"], counts: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Negative log-likelihood in nats of each count, ln y! left out."""
    log_rate = log_rate.clamp(min=LOWEST_LOG_RATE)
    return log_rate.exp() - counts * log_rate


def label_nll(log_probability: Float[Tensor, "*n classes"], labels: Shaped[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Cross-entropy in nats of each label."""
    normalised = log_probability.log_softmax(dim=-1)
    return -normalised.gather(-1, labels.long().unsqueeze(-1)).squeeze(-1)


def gaussian_nll(mean_log_sd: Float[Tensor, "*n 2"], z: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Negative log-likelihood in nats of each z-scored number, ln(2 pi) / 2 left out."""
    mean, log_sd = mean_log_sd[..., 0], mean_log_sd[..., 1].clamp(min=LOWEST_LOG_SD)
    return ((z - mean) / log_sd.exp()) ** 2 / 2 + log_sd


def entry_nll(
    prediction: Tensor, target: Target, task: Task, dtype: torch.dtype, counts: CountNll | None = None
) -> Float[Tensor, "b n *u"]:
    """Nats of each entry of one target, exactly zero where it is not valid. counts: the likelihood of counts, Poisson
    unless given."""
    valid = target.valid
    if task == "spikes":
        log_rate = select(prediction.to(dtype), valid)
        values = select(target.values.to(dtype), valid)
        nll = poisson_nll(log_rate, values) if counts is None else counts(target.session, log_rate, values)
        return select(nll, valid)
    if task == "values":
        mean_log_sd = select(prediction.to(dtype), valid.unsqueeze(-1))
        return select(gaussian_nll(mean_log_sd, select(target.values.to(dtype), valid)), valid)
    log_probability = select(prediction.to(dtype), valid.unsqueeze(-1))
    return select(label_nll(log_probability, select(target.values, valid)), valid)


def select(values: Tensor, valid: Bool[Tensor, "..."]) -> Tensor:
    """Values where valid, zero elsewhere; whatever stands elsewhere has no influence, not even on the gradient."""
    return torch.where(valid, values, torch.zeros((), dtype=values.dtype, device=values.device))


def summed_loss(
    predictions: tuple[Tensor, ...],
    batch: Batch,
    task: Task,
    counts: CountNll | None = None,
    class_weights: Float[Tensor, " classes"] | None = None,
) -> Float[Tensor, ""]:
    """Nats of all valid entries of a batch, in single precision whatever the model computed in."""
    check_predictions(predictions, batch, task)
    sums = []
    for prediction, target in zip(predictions, batch.targets, strict=True):
        nats = entry_nll(prediction, target, task, torch.float32, counts)
        weighted = nats if class_weights is None else nats * class_weights[select(target.values, target.valid).long()]
        sums.append(weighted.sum())
    return torch.stack(sums).sum()


def count_entries(batch: Batch) -> Float[Tensor, ""]:
    """Valid entries of a batch, on its device. Sessions weigh by what they hold, not equally."""
    return torch.stack([target.valid.sum() for target in batch.targets]).sum().float()


def mean_loss(predictions: tuple[Tensor, ...], batch: Batch, task: Task) -> Float[Tensor, ""]:
    """Nats a valid entry; zero for a batch without one."""
    return summed_loss(predictions, batch, task) / count_entries(batch).clamp(min=1)


AXES: dict[Task, str] = {
    "spikes": "(batch, bin, unit)",
    "labels": "(batch, label, class), class left out",
    "values": "(batch, label, target, mean and log sd), the last left out",
}


def check_predictions(predictions: tuple[Tensor, ...], batch: Batch, task: Task) -> None:
    """A prediction that would broadcast against its target is an error, never a wrong number."""
    if len(predictions) != len(batch.targets):
        raise AblateError(
            f"the model gave {len(predictions)} predictions for {len(batch.targets)} targets",
            hint="return one tensor for each session of the batch, in order",
        )
    for prediction, target in zip(predictions, batch.targets, strict=True):
        given = tuple(prediction.shape if task == "spikes" else prediction.shape[:-1])
        wanted = tuple(target.values.shape)
        if given != wanted:
            what = f"the model's prediction has shape {given}, its target {wanted}"
            raise AblateError(what, hint=f"axes: {AXES[task]}")
        if task == "values" and prediction.shape[-1] != 2:
            what = f"the model's prediction has {prediction.shape[-1]} figures for each number"
            raise AblateError(what, hint="give two: mean and log standard deviation")
