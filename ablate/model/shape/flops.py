"""Operations in, FLOPs out: 2 a multiplication of matrix products and convolutions, nothing for all else.

The same numbers as torch's `FlopCounterMode` (a test compares them), which asks every operation for a decomposition and
loads Triton to know its kernels.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten

LEFT = {aten.mm: 0, aten.bmm: 0, aten.addmm: 1, aten.baddbmm: 1}
"""Where the left matrix stands among the arguments."""
CONVOLUTION, TRANSPOSED = aten.convolution.default, 6
"""Where a convolution is told that it goes back from what one would give."""


class Flops(TorchDispatchMode):
    """Counts while it is entered."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor) and isinstance(func, OpOverload):
            if (place := LEFT.get(func.overloadpacket)) is not None and isinstance(left := args[place], Tensor):
                self.total += 2 * out.numel() * left.shape[-1]
            elif func is CONVOLUTION and isinstance(weight := args[1], Tensor):
                places = args[0] if args[TRANSPOSED] and isinstance(args[0], Tensor) else out
                self.total += 2 * weight.numel() * places.numel() // places.shape[1]
        return out
