"""Learned positions that can be seen from the first step on.

Maps here keep the variance of their input, so tokens start with a scale of about 1. Positions of the usual standard
deviation of 0.02 drown in them: attention pooling over frames is then blind to their order, and joint attention
over a clip cannot tell one interval's tubelets from another's, for hundreds of steps.
"""

import torch
from torch import nn

from ablate.contract import no_decay

POSITION_STD = 0.5
"""Standard deviation of positions at the start, beside tokens of scale 1."""


def positions(*shape: int) -> nn.Parameter:
    """Learned positions, which take no weight decay."""
    return no_decay(nn.Parameter(POSITION_STD * torch.randn(*shape)))
