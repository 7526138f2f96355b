"""A function of rows in, the same compiled with shapes that stay: `torch.compile` without a graph for every last batch.

What is compiled is compiled anew for every shape, and beyond eight of them Dynamo gives up without an error and runs
everything step by step. The last batch of an evaluation is smaller than the others: it is filled up with copies of its
last row, and what they gave is dropped. A training batch is not filled up, since what a layer takes from a batch as a
whole (running statistics) would hear the copies.
"""

from collections.abc import Callable
from typing import Any

import einops
import torch
from torch import Tensor, nn


class CompiledRows:
    """`function(*inputs)` with inputs (b ...) or None, compiled; other arguments by name, constants of the graph.

    args, options: of `torch.compile`.
    """

    def __init__(self, function: Callable[..., Tensor], *args: Any, **options: Any) -> None:
        # einops keeps what kinds of tensors it has met; one that it first meets inside a trace makes a second graph.
        for met in (torch.zeros(1, 1), nn.Parameter(torch.zeros(1, 1))):
            einops.rearrange(met, "a b -> (a b)")
        torch._dynamo.config.allow_rnn = True  # a GRU would end the graph, and what follows it begin another
        # The sizes are constants of the graph: what chooses a convolution's tiles by them cannot be traced otherwise.
        self.function = torch.compile(function, *args, **{"dynamic": False, **options})
        self.rows = 0

    def __call__(self, *inputs: Tensor | None, **constants: object) -> Tensor:
        if torch.is_grad_enabled():
            return self.function(*inputs, **constants)
        rows = next(len(one) for one in inputs if one is not None)
        self.rows = max(self.rows, rows)
        filled = (None if one is None else filled_up(one, self.rows) for one in inputs)
        return self.function(*filled, **constants)[:rows]


def filled_up(values: Tensor, rows: int) -> Tensor:
    """With copies of the last row, up to that many rows."""
    missing = rows - len(values)
    return values if missing == 0 else torch.cat((values, values[-1:].expand(missing, *values.shape[1:])))
