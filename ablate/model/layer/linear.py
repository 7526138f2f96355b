"""A linear map whose output starts with the variance of its input (LeCun et al. 1998), with zero bias.

torch's default shrinks the standard deviation by sqrt(3) at every map. In a chain of maps from two modalities their
product, which is what fusion must learn, then starts several times weaker, and training stays longer on its first
plateau.
"""

from torch import nn


def linear(width_in: int, width_out: int, *, bias: bool = True) -> nn.Linear:
    """nn.Linear with weights of variance 1 / width_in."""
    layer = nn.Linear(width_in, width_out, bias=bias)
    nn.init.normal_(layer.weight, std=width_in**-0.5)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
