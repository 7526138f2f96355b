"""What counts are taken for while training: Poisson, or negative binomial with a dispersion of each unit, learnt too.

    log p(y) = ln G(y + r) - ln G(r) - ln y! + r ln( r / (r + m) ) + y ln( m / (r + m) ),  r = 1 / a

m the rate, a the unit's dispersion, G the gamma function: variance m + a m^2 (Cameron & Trivedi 2013, NB2; for spikes
Goris et al. 2014). As a goes to zero this is the Poisson likelihood. Counts that vary more than Poisson no longer pull
the rates after their bursts. Scores stay what the metric says (bits/spike: by the Poisson likelihood), so that models
trained by either can be compared. Dispersions are weights of the trained model: averaged, kept and stored with it.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ablate.contract import DataSpec, EncodingSpec, Model
from ablate.errors import AblateError
from ablate.training.config import TrainingConfig
from ablate.training.loss import LOWEST_LOG_RATE
from ablate.training.score.sums import widest

CHILD = "count_likelihood"
"""Name of the dispersions among a trained model's modules."""
FIRST_DISPERSION = 0.1
LEAST_DISPERSION = 1e-5  # at 10 spikes a bin its variance is 0.01 % above Poisson's
SCALE = 10.0  # one step of AdamW at 1e-3 moves a dispersion by 1 %


class NegativeBinomial(nn.Module):
    """One dispersion a unit of each session."""

    def __init__(self, units: Sequence[int]):
        super().__init__()
        self.moved = nn.ParameterList(nn.Parameter(torch.zeros(count)) for count in units)

    def dispersion(self, session: int) -> Float[Tensor, " u"]:
        """a, above zero."""
        return LEAST_DISPERSION + FIRST_DISPERSION * (SCALE * self.moved[session]).clamp(max=10.0).exp()

    def forward(
        self, session: int, log_rate: Float[Tensor, "b n u"], counts: Float[Tensor, "b n u"]
    ) -> Float[Tensor, "b n u"]:
        """Negative log-likelihood in nats of each count, ln y! left out, as of `poisson_nll`."""
        return negative_binomial_nll(log_rate, counts, self.dispersion(session))


def negative_binomial_nll(
    log_rate: Float[Tensor, "*n u"], counts: Float[Tensor, "*n u"], dispersion: Float[Tensor, " u"]
) -> Float[Tensor, "*n u"]:
    """Nats of each count, ln y! left out. In double precision where the device has it: of a small dispersion the two
    gamma functions are large and differ by little."""
    kind = widest(log_rate)
    x, y, a = log_rate.to(kind).clamp(min=LOWEST_LOG_RATE), counts.to(kind), dispersion.to(kind)
    r = 1 / a
    gammas = torch.lgamma(y + r) - torch.lgamma(r) + y * a.log()
    return ((y + r) * nn.functional.softplus(x + a.log()) - gammas - y * x).to(log_rate.dtype)


def likelihood_of(model: nn.Module) -> NegativeBinomial | None:
    """The dispersions that were learnt with a model; None where counts were taken for Poisson."""
    found = dict(model.named_children()).get(CHILD)
    return found if isinstance(found, NegativeBinomial) else None


def with_likelihood(model: Model, config: TrainingConfig, spec: DataSpec) -> Model:
    """The model, given the dispersions that `loss: negative_binomial` asks for, if it has none yet.

    Raises AblateError for labels, which are no counts.
    """
    if config.loss != "negative_binomial" or likelihood_of(model) is not None:
        return model
    if not isinstance(spec, EncodingSpec):
        hint = "leave `loss` out: labels are trained by their cross-entropy"
        raise AblateError(
            "negative_binomial is a loss of counts, and these are labels", where="training.loss", hint=hint
        )
    model.add_module(CHILD, NegativeBinomial([session.units for session in spec.sessions]).to(model.device))
    return model


def dispersions(model: nn.Module, spec: DataSpec) -> dict[str, list[float]]:
    """Of each session's units, by its name; empty for Poisson."""
    found = likelihood_of(model)
    if found is None or not isinstance(spec, EncodingSpec):
        return {}
    with torch.no_grad():
        values = [found.dispersion(session).double().cpu().tolist() for session in range(len(spec.sessions))]
    return {session.name: one for session, one in zip(spec.sessions, values, strict=True)}


def dispersion_measure(found: dict[str, list[float]]) -> dict[str, float]:
    """Of all units, the geometric mean: dispersions differ by orders of magnitude."""
    values = [value for session in found.values() for value in session]
    return {"dispersion": math.exp(float(np.mean(np.log(values))))} if values else {}
