"""bfloat16 autocast for tensors without numbers: torch's own leaves the meta device out.

As https://docs.pytorch.org/docs/stable/amp.html: products and convolutions take their arguments in bfloat16 (a weight
is cast once in a forward pass), what sums many numbers or has a wide range in float32, all else as it comes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

PRODUCTS = (
    *("linear", "matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "addbmm", "baddbmm", "einsum", "addmv"),
    *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "gru"),
    *("mv", "bilinear", "scaled_dot_product_attention"),
)
SINGLE = (
    *("exp", "expm1", "log", "log1p", "log2", "log10", "pow", "__pow__", "reciprocal", "rsqrt", "softplus", "tan"),
    *("layer_norm", "group_norm", "softmax", "log_softmax", "sum", "prod", "cumsum", "norm", "cosine_similarity"),
)


class MetaAutocast(TorchFunctionMode):
    """While it is entered, functions on the meta device are given what autocast would give them."""

    entered: "list[MetaAutocast]" = []

    def __init__(self) -> None:
        super().__init__()
        self._weights: dict[int, Tensor] = {}
        self.off = 0

    def __enter__(self) -> "MetaAutocast":
        self.entered.append(self)
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.entered.remove(self)
        super().__exit__(*error)

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        name = func.__name__
        given = kwargs or {}
        if self.off or (name not in PRODUCTS and name not in SINGLE):
            return func(*args, **given)
        dtype = torch.bfloat16 if name in PRODUCTS else torch.float32
        return func(*(self._cast(one, dtype) for one in args), **{k: self._cast(v, dtype) for k, v in given.items()})

    def _cast(self, value: object, dtype: torch.dtype) -> object:
        if isinstance(value, tuple | list):
            return type(value)(self._cast(one, dtype) for one in value)
        if not isinstance(value, Tensor) or not value.is_meta or value.dtype not in (torch.float32, torch.bfloat16):
            return value
        if isinstance(value, nn.Parameter) and dtype is torch.bfloat16:
            return self._weights.setdefault(id(value), value.to(dtype))
        return value.to(dtype)


@contextmanager
def without_meta_autocast() -> Iterator[None]:
    """Where autocast is switched off."""
    for mode in MetaAutocast.entered:
        mode.off += 1
    try:
        yield
    finally:
        for mode in MetaAutocast.entered:
            mode.off -= 1
