"""A model and the size of its batches in, the memory that a training step takes on a card out, before there is one.

    peak = weights + AdamW's two moments + average + batch + max(kept + 2 largest, gradients)

kept: what autograd holds between the passes, each storage once, asked where it is put there (`saved_tensors_hooks`) in
one forward pass in training mode on the meta device, with fused attention and, where asked, bfloat16 autocast. largest:
the largest map among it, whose gradient comes in and goes out when the pass back is there. With activation
checkpointing most is not put there: then both passes are gone through, and `kept` is what is alive at the worst moment.
Not counted: what kernels borrow while they run, and what an allocator cannot use for its pieces.

On a CPU a step takes other ways (Winograd's tiles are kept, and the recurrence keeps its gates), so that this is not
what it takes there.
"""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, is_dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ablate.contract import Batch, DataSpec, Model, ModelOptions, example_batch
from ablate.model.cost import outline
from ablate.model.layer.autocasting import MetaAutocast
from ablate.model.shape.remembered import Remembered
from ablate.model.shape.uncompiled import uncompiled

MOMENTS = 2
"""Of AdamW, in the type of the weights."""


@dataclass(frozen=True)
class Footprint:
    """Bytes on the device. weights: parameters and buffers. trained: parameters that are trained, of which gradients,
    moments and the average are copies. accumulated: gradients stay from one micro-batch to the next."""

    weights: int
    trained: int
    batch: int
    kept: int
    largest: int
    averaged: bool
    accumulated: bool

    @property
    def peak(self) -> int:
        """Gradients come as what is kept goes, but where the step's pieces before have left theirs."""
        return self._at_the_worst(self.accumulated, 1.0)

    def cut(self, times: int | float) -> int:
        """The peak with so many times fewer rows in a pass, in as many times more passes."""
        return self._at_the_worst(True, times)

    def _at_the_worst(self, accumulated: bool, times: int | float) -> int:
        copies = MOMENTS + self.averaged + accumulated
        of_a_pass = int((self.kept + 2 * self.largest) / times)
        return self.weights + copies * self.trained + int(self.batch / times) + max(of_a_pass, self.trained)


def footprint(
    config: ModelOptions,
    spec: DataSpec,
    *,
    rows: int,
    sessions: int,
    averaged: bool,
    bf16: bool,
    accumulated: bool = False,
    recomputed: bool = False,
) -> Footprint | None:
    """None where a part of the user's own cannot be built, or run, without numbers.

    rows: of a micro-batch, of all its sessions. averaged: a moving average of the weights is kept. accumulated: there
    are several micro-batches a step. recomputed: by activation checkpointing.
    """
    with torch.random.fork_rng(devices=[]), uncompiled():
        model = outline(config, spec).train()
        if model.device.type != "meta":
            return None
        batch = example_batch(spec, model.device, rows=rows, sessions=sessions)
        weights = {key(one): size(one) for one in (*model.parameters(), *model.buffers())}
        given = {key(one): size(one) for one in tensors_of(batch)}
        try:
            if recomputed and model.recompute():
                kept, largest = alive_in(model, batch, bf16=bf16), 0
            else:
                asked = kept_by(model, batch, bf16=bf16)
                found = [bytes_ for one, bytes_ in asked.items() if one not in weights and one not in given]
                kept, largest = sum(found), max(found, default=0)
        except (RuntimeError, NotImplementedError):
            return None
    return Footprint(
        weights=sum(weights.values()),
        trained=sum({key(one): size(one) for one in model.parameters() if one.requires_grad}.values()),
        batch=sum(given.values()),
        kept=kept,
        largest=largest,
        averaged=averaged,
        accumulated=accumulated,
    )


def kept_by(model: Model, batch: Batch, *, bf16: bool) -> dict[int, int]:
    """Bytes of each storage that a pass back would be given."""
    found: dict[int, int] = {}
    held: list[object] = []  # what is gone could leave its key to another

    def keep(tensor: Tensor) -> Tensor:
        found.setdefault(key(tensor), size(tensor))
        return tensor

    modes = (Remembered(), MetaAutocast() if bf16 else nullcontext(), FusedAttention())
    with saved_tensors_hooks(keep, lambda tensor: tensor), masks_as_truths(model, found), modes[0], modes[1], modes[2]:
        held.append(model(batch))
    return found


def alive_in(model: Model, batch: Batch, *, bf16: bool) -> int:
    """Bytes that both passes make and hold at their worst moment, among them attention's matrix, computed again."""
    with Remembered(), MetaAutocast() if bf16 else nullcontext(), Alive() as alive:  # the last is asked first
        total = torch.stack([out.float().sum() for out in model(batch)]).sum()
        torch.autograd.backward(total)  # modes are left for the time of a tensor's own method
    return alive.peak


class Alive(TorchDispatchMode):
    """Bytes of the tensors that operations gave while it was entered and that something holds: now, and at most."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        out = func(*args, **(kwargs or {}))
        given = {key(one) for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)}
        for one in tree_leaves(out):
            if isinstance(one, Tensor) and key(one) not in given and key(one) not in self._seen:
                self._see(one.untyped_storage())
        return out

    def _see(self, storage: torch.UntypedStorage) -> None:
        place, bytes_ = storage._cdata, storage.nbytes()
        self._seen.add(place)
        self.now += bytes_
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._gone, place, bytes_)

    def _gone(self, place: int, bytes_: int) -> None:
        self._seen.discard(place)
        self.now -= bytes_


class FusedAttention(TorchFunctionMode):
    """Attention that keeps queries, keys, values and its output, as the kernels of a card, and no matrix of weights."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        return _fused(*args, **(kwargs or {}))  # type: ignore[arg-type]


def _fused(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **_: object,
) -> Tensor:
    if q.dim() != 4 or q.shape[-1] != v.shape[-1]:
        return F.scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    out: Tensor = kernel(q, k, v, 0.0, is_causal)[0]
    return out


@contextmanager
def masks_as_truths(model: nn.Module, found: dict[int, int]) -> Iterator[None]:
    """Dropout on a card keeps a truth for each number, where that of the meta device keeps a factor."""

    def note(module: nn.Dropout, _: object, out: Tensor) -> None:
        if module.p and out.numel():
            found[-1 - len(found)] = out.numel() * (1 - out.element_size())

    handles = [one.register_forward_hook(note) for one in model.modules() if isinstance(one, nn.Dropout)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def key(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def size(tensor: Tensor) -> int:
    return tensor.untyped_storage().nbytes()


def tensors_of(batch: object) -> list[Tensor]:
    """What the model reads, and the targets."""
    if isinstance(batch, Tensor):
        return [batch]
    if isinstance(batch, tuple | list):
        return [one for part in batch for one in tensors_of(part)]
    return [one for part in vars(batch).values() for one in tensors_of(part)] if is_dataclass(batch) else []
