"""Attention maps: every softmax attention that runs in a forward pass is recorded, whichever part it is in.

    weights = softmax(q k^T / sqrt(e) + mask),   mean over batch, groups and heads

Recorded at `torch.nn.functional.scaled_dot_product_attention`, so that a user's own part is seen as well.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ablate.contract import Dataset, EncodingBatch
from ablate.model.encoder import Encoder
from ablate.result.picture import AttentionPicture

WINDOWS = 4
MOST = 12
"""Maps kept of a model, the first layers'."""
LARGEST = 128
"""Keys beyond which a matrix is not kept."""


def attention_pictures(model: nn.Module, dataset: Dataset) -> tuple[AttentionPicture, ...]:
    """Empty where nothing attends."""
    batch = next(iter(dataset.sweep("test", batch_size=WINDOWS)))
    recorder = Recorder()
    with _named(model, recorder), recorder:
        model(batch)
    found: list[AttentionPicture] = []
    for name, weights in recorder.means():
        picture = _picture(name, weights, model, batch)
        if picture is not None and len(found) < MOST:
            found.append(picture)
    return tuple(found)


class Recorder(TorchFunctionMode):
    """Sees each attention as it runs. module: the path of the module that runs, innermost last."""

    def __init__(self) -> None:
        super().__init__()
        self.module: list[str] = []
        self._sums: dict[tuple[str, int, int], tuple[Tensor, int]] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:  # as torch calls it, for every function there is
        kwargs = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            with torch._C.DisableTorchFunction():
                self._add(attention_weights(*args, **kwargs))
        return func(*args, **kwargs)

    def _add(self, weights: Tensor) -> None:
        key = (self.module[-1] if self.module else "attention", *weights.shape[-2:])
        mean = weights.flatten(0, -3).mean(0).cpu()
        total, count = self._sums.get(key, (torch.zeros_like(mean), 0))
        self._sums[key] = (total + mean, count + 1)

    def means(self) -> Iterator[tuple[str, Tensor]]:
        """(module's path, mean weights from each query to each key), in the order in which they ran."""
        for (name, *_), (total, count) in self._sums.items():
            yield name, total / count


def attention_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    **_: object,
) -> Tensor:
    """The weights that scaled_dot_product_attention applies; a query that sees nothing has none."""
    logits = query.float() @ key.float().mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        seen = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).tril()
        logits = logits.masked_fill(~seen, -math.inf)
    if attn_mask is not None:
        logits = logits.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else logits + attn_mask
    return logits.softmax(-1).nan_to_num(0.0)


@contextmanager
def _named(model: nn.Module, recorder: Recorder) -> Iterator[None]:
    """Tells the recorder which module runs."""
    handles = []
    for name, module in model.named_modules():
        if name:
            handles.append(module.register_forward_pre_hook(lambda *_, name=name: recorder.module.append(name)))
            handles.append(module.register_forward_hook(lambda *_: _left(recorder.module)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _left(stack: list[str]) -> None:
    stack.pop()


def _picture(name: str, weights: Tensor, model: nn.Module, batch: object) -> AttentionPicture | None:
    """A map over places where the keys are the places of the core, otherwise the matrix."""
    name = name.removesuffix(".attention").replace(".blocks.", " ").replace("core.", "")
    grid = _grid(model) if isinstance(batch, EncodingBatch) else None
    queries, keys = weights.shape
    extra = _registers(model)
    if grid is not None and keys - extra == math.prod(grid) and queries == keys and "temporal" not in name:
        if math.prod(grid) < 2:
            return None
        received = weights[extra:, extra:].mean(0) * math.prod(grid)
        return AttentionPicture(name=name, kind="space", values=_rows(received.reshape(grid)))
    if keys < 2 or keys > LARGEST or queries > LARGEST:
        return None
    return AttentionPicture(name=name, kind="matrix", values=_rows(weights))


def _grid(model: nn.Module) -> tuple[int, int] | None:
    """Rows and columns of places in the core."""
    if not isinstance(model, Encoder):
        return None
    out = model.core.out
    return (out.height, out.width)


def _registers(model: nn.Module) -> int:
    """Tokens of the core that have no place."""
    return model.core.registers if isinstance(model, Encoder) else 0


def _rows(values: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(value, 5) for value in row) for row in values.tolist())
