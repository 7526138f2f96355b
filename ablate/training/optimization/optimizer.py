"""AdamW with decoupled weight decay on weights only (Loshchilov & Hutter 2019).

Parameters with fewer than two axes (biases, gains, gates), all parameters of normalisation layers, and those marked by
`contract.no_decay` (positions, readout geometry) take none: pulling them to zero changes what the model means rather
than how smooth it is.
"""

from typing import Any

import torch
from torch import nn

from ablate.errors import AblateError
from ablate.training.config import TrainingConfig

NORMS = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.modules.batchnorm._BatchNorm, nn.modules.instancenorm._InstanceNorm)


def takes_decay(parameter: nn.Parameter) -> bool:
    """Whether a parameter outside a normalisation layer decays."""
    return parameter.ndim >= 2 and not getattr(parameter, "no_decay", False)  # `contract.no_decay` leaves the mark


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:  # as torch takes them
    """Two groups, decayed and not; frozen parameters are in neither. Both keep the order of the model."""
    of_norms = {
        id(parameter) for module in model.modules() if isinstance(module, NORMS) for parameter in module.parameters()
    }
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            decays = takes_decay(parameter) and id(parameter) not in of_norms
            (decayed if decays else spared).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def build_optimizer(model: nn.Module, config: TrainingConfig, device: torch.device) -> torch.optim.AdamW:
    """AdamW over the trainable parameters, fused where the device and the parameters' types allow it."""
    groups = parameter_groups(model, config.weight_decay)
    if not groups:
        raise AblateError(
            "the model has no parameter to train", where="baseline", hint="leave at least one part unfrozen"
        )
    real = all(parameter.is_floating_point() for group in groups for parameter in group["params"])
    fused = real and device.type in ("cpu", "cuda")  # the fused kernels know no complex parameters
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=fused)
