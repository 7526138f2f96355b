"""Filters and linear receptive fields of a fitted model, as arrays."""

import numpy as np
import torch
from einops import rearrange
from torch import nn

from ablate.contract import EncodingBatch
from ablate.model.glm import Glm, SessionGlm


def glm_filters(model: nn.Module, session: int) -> np.ndarray | None:
    """(u, lag, h, w), newest lag first, on the GLM's own grid; the stimulus in deviations. None for other models."""
    if not isinstance(model, Glm):
        return None
    own = glms(model)[session]
    with torch.no_grad():
        weights = rearrange(own.filters().flip(1), "u lag (h w) -> u lag h w", h=own.size[0])
    return np.asarray(weights.float().cpu().numpy())


def glms(model: Glm) -> list[SessionGlm]:
    """The filters of each session."""
    return [one for one in model.filters if isinstance(one, SessionGlm)]


def receptive_fields(model: nn.Module, batch: EncodingBatch, lags: tuple[int, ...]) -> np.ndarray:
    """(u, t, h, w), newest frame first: d log-rate / d pixel of the newest bin, at the batch's one window."""
    windows = batch.sessions[0]
    pixels = windows.stimulus.clone().requires_grad_(True)
    windows.stimulus = pixels
    with torch.enable_grad():
        log_rates = model(batch)[0][0, lags.index(0)]  # u
        fields = [torch.autograd.grad(rate, pixels, retain_graph=True)[0][0, 0] for rate in log_rates]
    return np.asarray(torch.stack(fields).flip(1).float().cpu().numpy())
