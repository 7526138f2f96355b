"""The activation of a core's output, by name; `none` is an activation too."""

from typing import Literal

from torch import nn

FinalActivation = Literal["softplus", "relu", "gelu", "none"]


def final_activation(name: FinalActivation) -> nn.Module:
    """The module of that name."""
    return {"softplus": nn.Softplus, "relu": nn.ReLU, "gelu": nn.GELU, "none": nn.Identity}[name]()
