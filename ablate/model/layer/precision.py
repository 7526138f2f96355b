"""Float32 whatever autocast says: for places, and for log-rates."""

from contextlib import AbstractContextManager, nullcontext

import torch


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Switches autocast off. On the meta device, where costs are counted, autocast does not exist."""
    if device.type == "meta":
        return nullcontext()
    return torch.autocast(device.type, enabled=False)
