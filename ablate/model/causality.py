"""Does a model of spikes see the future? Newer frames, behaviour and spikes are changed, and older rates must stay.

Our own parts are tested for it; a part or model of the user's is asked before a study begins, since a leak is the one
fault that makes a score better.
"""

import copy

import torch
from torch import Tensor

from ablate.contract import EncodingBatch, EncodingSpec, Model, PastSpikes, SessionWindows, example_batch

TOLERANCE = 1e-4  # of a log-rate: kernels may add up in another order, a leak moves it by far more
PERTURBATION = 0.1  # of each weight: one that starts at zero would hide what it will let through
PLACES = 4  # scored bins that are tried, spread over the window


def leaking_lag(model: Model, spec: EncodingSpec) -> int | None:
    """A scored bin, as frames back from the newest, whose rate changes with later input; None if there is none.

    Runs the first session's readout of a copy on random input, in evaluation mode. The newest bin has nothing after it.
    """
    model = _perturbed(model)
    windows = _random(example_batch(spec, model.device))
    lags = [lag for lag in spec.lags if lag > 0]
    tried = lags[:: max(len(lags) // PLACES, 1)]
    model.eval()
    with torch.no_grad():
        before = _rates(model, windows, spec)
        for lag in tried:
            after = _rates(model, _changed(windows, lag), spec)
            place = spec.lags.index(lag)
            old, new = before[:, : place + 1], after[:, : place + 1]
            if not torch.allclose(old, new, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
                return lag
    return None


def _perturbed(model: Model) -> Model:
    """A copy with noise on every weight."""
    model, generator = copy.deepcopy(model), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(PERTURBATION * torch.randn(weight.shape, generator=generator).to(weight))
    return model


def _rates(model: Model, windows: SessionWindows, spec: EncodingSpec) -> Tensor:
    """Log-rates (b, n, u) at the scored bins, oldest first."""
    return model(EncodingBatch((windows,), spec.lags))[0].float()


def _random(batch: object) -> SessionWindows:
    """The example's one window, with content."""
    assert isinstance(batch, EncodingBatch)
    windows, generator = batch.sessions[0], torch.Generator().manual_seed(0)

    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator).to(like.device)

    behavior = None if windows.behavior is None else noise(windows.behavior)
    stimulus, units = noise(windows.stimulus), windows.target.values.shape[-1]
    counts = noise(stimulus.new_zeros(stimulus.shape[2], units))
    bins = stimulus.shape[2] - 1 - torch.tensor([batch.lags], device=counts.device)
    past = PastSpikes(bins, _Counts(counts))
    return SessionWindows(windows.session, stimulus, behavior, windows.target, past)


class _Counts:
    """Counts (t, u) of one window as `PastSpikes.read`; nothing before its first frame."""

    def __init__(self, counts: Tensor):
        self.counts = counts

    def __call__(self, bins: Tensor, count: int) -> Tensor:
        before = bins[:, :, None] - torch.arange(1, count + 1, device=bins.device)
        return torch.where((before >= 0)[..., None], self.counts[before.clamp(min=0)], 0.0)


def _changed(windows: SessionWindows, lag: int) -> SessionWindows:
    """The same window with another ending: what is newer than the bin is turned over in sign and made larger."""
    stimulus = windows.stimulus.clone()
    stimulus[:, :, -lag:] *= -3
    behavior = None if windows.behavior is None else windows.behavior.clone()
    if behavior is not None:
        behavior[:, -lag:] *= -3
    past = windows.past
    if past is not None and isinstance(past.read, _Counts):
        counts = past.read.counts.clone()
        counts[-lag - 1 :] *= -3  # the bin's own spikes are later than its rate
        past = PastSpikes(past.bins, _Counts(counts))
    return SessionWindows(windows.session, stimulus, behavior, windows.target, past)
