"""Sums over bins for every unit of every session, in double precision, added up batch by batch."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor


def widest(values: Tensor) -> torch.dtype:
    """The widest float type of a tensor's device: MPS has no double precision."""
    return torch.float32 if values.device.type == "mps" else torch.float64


def wide(values: Tensor) -> Tensor:
    """Double precision, on the CPU where the device has none."""
    return (values.cpu() if values.device.type == "mps" else values).double()


class UnitSums:
    """For each session a table (quantity, unit) of sums that starts at zero and stays where its first summand was."""

    def __init__(self, units: Sequence[int], quantities: int):
        self.shapes = [(quantities, count) for count in units]
        self._sums: dict[int, Tensor] = {}

    def add(self, session: int, sums: Float[Tensor, "quantities u"]) -> None:
        held = self._sums.get(session)
        self._sums[session] = sums if held is None else held + sums.to(held.device)

    def merge(self, other: "UnitSums") -> None:
        for session, sums in other._sums.items():
            self.add(session, sums)

    def of(self, session: int) -> NDArray[np.float64]:
        """The sums (quantity, unit) of a session, zeros where nothing was added."""
        held = self._sums.get(session)
        return np.zeros(self.shapes[session]) if held is None else held.cpu().numpy()


def over_bins(*quantities: Float[Tensor, "b n u"]) -> Float[Tensor, "quantities u"]:
    """Sums of each quantity over rows and bins."""
    return torch.stack([quantity.sum(dim=(0, 1)) for quantity in quantities])
