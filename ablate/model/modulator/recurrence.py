"""The loop of `convgru` with a backward pass of its own: the same formulas, fewer and larger operations on a CPU.

The kernel is prepared once for all steps, gates and norm go back by their closed forms, and the gradients of the kernel
and of the norm's gain and shift are asked for once over all steps but the first. The state that all windows begin in is
convolved for one of them, forward and back: where there is a single step, an eighth of the work of a batch of 8. Agrees
with autograd through the plain loop to rounding (`tests/model/modulator/test_recurrence.py`).
"""

from dataclasses import dataclass
from typing import Any

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ablate.model.layer.convolution.prepared import Prepared, prepare

layer_norm, layer_norm_backward = torch.ops.aten.native_layer_norm, torch.ops.aten.native_layer_norm_backward
sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


@dataclass(frozen=True)
class Cell:
    """groups: norm groups of the hidden term, 0 without a norm. adds_state: the lab's candidate."""

    groups: int
    adds_state: bool
    eps: float


def recurrence_pays(driven: Tensor) -> bool:
    """Whether the loop below can take the place of the plain one: on a CPU in one precision, not in a trace."""
    plain = driven.is_meta or torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu")
    return driven.device.type == "cpu" and not plain


def recur(
    driven: Float[Tensor, "t b c h w"], start: Float[Tensor, " d"], weight: Tensor, norm: nn.Module, adds_state: bool
) -> Float[Tensor, "t b d h w"]:
    """The state after each step. driven: W x + w of all steps; weight: U, (3 d, d, k, k)."""
    if isinstance(norm, nn.GroupNorm):
        return _Recurrence.apply(
            driven, start, weight, norm.weight, norm.bias, Cell(norm.num_groups, adds_state, norm.eps)
        )
    return _Recurrence.apply(driven, start, weight, None, None, Cell(0, adds_state, 0.0))


class _Recurrence(torch.autograd.Function):
    """Forward keeps what each step's backward needs; backward walks the steps from the newest. Hidden terms are rows:
    one of the first step, then those of all windows step by step."""

    @staticmethod
    def forward(
        ctx: Any, driven: Tensor, start: Tensor, weight: Tensor, gain: Tensor | None, shift: Tensor | None, cell: Cell
    ) -> Tensor:
        steps, batch, _, height, width = driven.shape
        hidden = len(start)
        kernel = prepare(weight, height, width, batch if steps > 1 else 1, calls=steps)
        states = driven.new_empty(steps + 1, batch, hidden, height, width)
        states[0] = start[:, None, None]
        gates = driven.new_empty(driven.shape)  # z, r, n
        terms = driven.new_empty(steps, batch, hidden, height, width)  # the candidate's hidden term, normalised
        raw = driven.new_empty(1 + (steps - 1) * batch, *driven.shape[2:]) if cell.groups else None
        kept = []
        for step in range(steps):
            state = states[step]
            term = kernel.apply(state if step else state[:1])
            if raw is not None and gain is not None and shift is not None:
                raw[_rows(step, batch)] = term
                normed, *moments = layer_norm(
                    term.reshape(len(term), cell.groups, -1), [term[0].numel() // cell.groups], None, None, cell.eps
                )
                kept.append(moments)
                term = torch.addcmul(shift[:, None, None], normed.view_as(term), gain[:, None, None])
            z_r, n = gates[step].split((2 * hidden, hidden), dim=1)
            torch.add(driven[step, :, : 2 * hidden], term[:, : 2 * hidden], out=z_r).sigmoid_()
            z, r = z_r.chunk(2, dim=1)
            terms[step] = term[:, 2 * hidden :]
            candidate = torch.addcmul(terms[step], r, state) if cell.adds_state else r * terms[step]
            torch.add(driven[step, :, 2 * hidden :], candidate, out=n).tanh_()
            torch.lerp(state, n, z, out=states[step + 1])
        ctx.save_for_backward(states, gates, terms, raw, gain)
        ctx.cell, ctx.kernel, ctx.kept = cell, kernel, kept
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        states, gates, terms, raw, gain = ctx.saved_tensors
        cell: Cell = ctx.cell
        kernel: Prepared = ctx.kernel
        (steps, batch), hidden = gates.shape[:2], states.shape[2]
        of_driven = torch.empty_like(gates)
        of_term = gates.new_empty(1 + (steps - 1) * batch, *gates.shape[2:])  # of the hidden term, normalised
        of_raw = of_term if raw is None else torch.empty_like(raw)
        carried, pulled = torch.zeros_like(states[0]), torch.zeros_like(states[0])
        for step in reversed(range(steps)):
            state, (z, r, n) = states[step], gates[step].chunk(3, dim=1)
            after = grad[step] + carried.add_(pulled)
            of_n = tanh_backward(after * z, n)
            of_driven[step, :, 2 * hidden :] = of_n
            of_gates = torch.cat((after * (n - state), of_n * (state if cell.adds_state else terms[step])), dim=1)
            of_z_r = sigmoid_backward(of_gates, gates[step, :, : 2 * hidden])
            of_driven[step, :, : 2 * hidden] = of_z_r
            carried = after - after * z
            if cell.adds_state:
                carried.addcmul_(of_n, r)
            here = _rows(step, batch)
            _joined(of_term[here], of_z_r, of_n if cell.adds_state else of_n * r)
            if raw is not None:
                of_raw[here] = _norm_backward(of_term[here] * gain[:, None, None], raw[here], ctx.kept[step], cell)
            pulled = kernel.to_input(of_raw[here])  # of one window at the first step
        of_gain = of_shift = None
        if raw is not None:
            normed = _normed(raw, ctx.kept, cell)
            of_gain, of_shift = (reduce(part, "r c h w -> c", "sum") for part in (of_term * normed, of_term))
        of_weight = kernel.to_weight(states.flatten(0, 1)[batch - 1 : -batch], of_raw)
        of_start = reduce(carried, "b d h w -> d", "sum") + reduce(pulled, "1 d h w -> d", "sum")
        return of_driven, of_start, of_weight, of_gain, of_shift, None


def _rows(step: int, batch: int) -> slice:
    """Rows of a step among the hidden terms."""
    return slice(1 + (step - 1) * batch, 1 + step * batch) if step else slice(0, 1)


def _joined(rows: Tensor, of_z_r: Tensor, of_n: Tensor) -> None:
    """Writes the gradient of hidden terms by their gates; where one row stands for all windows, their sum."""
    if len(rows) < len(of_n):
        of_z_r, of_n = of_z_r.sum(0, keepdim=True), of_n.sum(0, keepdim=True)
    torch.cat((of_z_r, of_n), dim=1, out=rows)


def _norm_backward(grad: Tensor, raw: Tensor, moments: list[Tensor], cell: Cell) -> Tensor:
    grouped = raw.view(len(raw), cell.groups, -1)
    size = [grouped.shape[-1]]
    found, *_ = layer_norm_backward(grad.view_as(grouped), grouped, size, *moments, None, None, [True, False, False])
    return found.view_as(raw)


def _normed(raw: Tensor, kept: list[list[Tensor]], cell: Cell) -> Tensor:
    """The normalised terms of all rows, before gain and shift."""
    mean, over_deviation = (torch.cat(part) for part in zip(*kept, strict=True))
    return ((raw.view(len(raw), cell.groups, -1) - mean) * over_deviation).view_as(raw)
