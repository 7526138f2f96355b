"""The processes that train one run together, each on a device of its own: their shares, their sums, their agreements.

    gradient of a step = sum over ranks of d(nats of the rank's rows) / entries of the whole batch  + d(penalty)

Synchronous data parallelism (Li et al. 2020, VLDB): every rank holds the same weights, draws the same batches, takes
the same steps, and computes its share of the rows. Differs in: gradients are summed here and not by torch's
DistributedDataParallel, which weighs ranks alike however many entries they hold, hears no gradient of a penalty, and
waits forever for a rank without rows. A parameter that no rank's rows reach keeps no gradient, as with one device.
"""

import io
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules import batchnorm

from ablate.contract import Batch
from ablate.errors import AblateError
from ablate.training.score.scorer import Scorer
from ablate.training.seed import seed_everything, stream_seed

PATIENCE = timedelta(minutes=30)
"""How long a rank waits for another that lives; one that dies is noticed at once."""
WHERE = "execution.devices"


class LostPeerError(Exception):
    """Another rank of this run is gone; what became of it, it told itself."""


class Ranks:
    """One process alone, which shares nothing. rank: from 0; the first one listens, saves and scores for all."""

    rank, count = 0, 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def check_model(self, model: nn.Module) -> None:
        """Raises AblateError for a model that cannot be shared."""

    def share(self, batch: Batch, pieces: int) -> Sequence[Batch]:
        """What this rank computes of a step's batch, cut so that no piece holds more rows than a micro-batch."""
        return batch.cut(pieces)

    def reseed(self, seed: int, taken: int) -> None:
        """Before the step that follows `taken` steps. Alone, the generators just run on."""

    def add_up(self, parameters: Sequence[nn.Parameter], beside: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Leaves the sum of all ranks' gradients in the parameters; gives the sum of what they tell beside."""
        return beside

    def agreed(self, wish: bool) -> bool:
        """Whether any rank wishes it. Asked by all at the same place."""
        return wish

    def process_time(self) -> float:
        """Processor seconds of all ranks, those of others as of the last time that they agreed on something."""
        return time.process_time()

    def own(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Those of a sweep's batches that this rank scores."""
        return batches

    def merged(self, own: Scorer, empty: Scorer) -> Scorer:
        """What all ranks have scored."""
        return own

    def check_equal(self, tensors: Mapping[str, Tensor], taken: int) -> None:
        """Raises AblateError, with the name, if a tensor is not the same on all ranks after `taken` steps."""


ALONE = Ranks()


class Together(Ranks):
    """One rank of several; torch's process group is up."""

    def __init__(self, rank: int, count: int):
        self.rank, self.count = rank, count
        self._cpu_seconds = 0.0
        self.agreed(False)

    def check_model(self, model: nn.Module) -> None:
        for name in batch_statistics(model):
            what = f"`{name}` takes statistics of its batch, and each of {self.count} devices has a share of it"
            hint = "leave `execution.devices` out, or put a norm of single rows in its place (layer, group, rms)"
            raise AblateError(what, where=WHERE, hint=hint)

    def share(self, batch: Batch, pieces: int) -> Sequence[Batch]:
        shares = batch.cut(self.count)
        return shares[self.rank].cut(-(-pieces // self.count)) if self.rank < len(shares) else ()

    def reseed(self, seed: int, taken: int) -> None:
        """Draws (dropout) are a function of seed, step and rank alone, so that no rank's generators need be saved."""
        seed_everything(stream_seed(seed, "dropout", taken * self.count + self.rank))

    @torch.no_grad()
    def add_up(self, parameters: Sequence[nn.Parameter], beside: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        reached = torch.tensor([parameter.grad is not None for parameter in parameters], dtype=torch.uint8)
        _reduce(reached, dist.ReduceOp.MAX)  # on the host, where it waits for no device
        kinds: dict[torch.dtype, list[nn.Parameter]] = {}
        for parameter, by_any in zip(parameters, reached.tolist(), strict=True):
            if by_any:
                kinds.setdefault(parameter.dtype, []).append(parameter)
        for some in kinds.values():
            gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in some]
            flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
            _reduce(flat)
            sums = flat.split([gradient.numel() for gradient in gradients])
            for parameter, gradient, summed in zip(some, gradients, sums, strict=True):
                parameter.grad = gradient.copy_(summed.view_as(gradient))  # in the parameter's own strides
        _reduce(beside)
        return beside

    def agreed(self, wish: bool) -> bool:
        told = torch.tensor([float(wish), time.process_time()], dtype=torch.float64)
        _reduce(told)
        wishes, self._cpu_seconds = told.tolist()
        return bool(wishes > 0)

    def process_time(self) -> float:
        return self._cpu_seconds

    def own(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        return islice(batches, self.rank, None, self.count)

    def merged(self, own: Scorer, empty: Scorer) -> Scorer:
        """In the order of the ranks, so that sums have the same bits everywhere. On the host: a rank's device is no
        other's."""
        content = io.BytesIO()
        torch.save(own, content)
        gathered: list[bytes] = [b""] * self.count
        with _with_the_others():
            dist.all_gather_object(gathered, content.getvalue())
        for one in gathered:
            empty.merge(torch.load(io.BytesIO(one), map_location="cpu", weights_only=False))  # our own ranks' words
        self.agreed(False)
        return empty

    def check_equal(self, tensors: Mapping[str, Tensor], taken: int) -> None:
        """By sum and sum of squares, to the last bit."""
        steps = torch.tensor([float(taken), 0.0], dtype=torch.float64)
        own = torch.stack([steps, *(_checksum(value).cpu() for value in tensors.values())]).view(torch.int64)
        gathered = [torch.empty_like(own) for _ in range(self.count)]
        with _with_the_others():
            dist.all_gather(gathered, own)
        for rank, other in enumerate(gathered):
            apart = (other != gathered[0]).any(dim=1).tolist()
            names = [name for name, differs in zip(("step", *tensors), apart, strict=True) if differs]
            if names:
                what = f"after step {taken} `{names[0]}` is not the same on devices 1 and {rank + 1} of {self.count}"
                hint = "leave `execution.devices` out: something in the model keeps what it sees of its share alone"
                raise AblateError(what, where=WHERE, hint=hint)


@contextmanager
def joined(meeting: Path, rank: int, count: int, device: torch.device) -> Iterator[Together]:
    """The process group of a run, all on this machine: gloo between hosts' numbers, NCCL between those of GPUs.

    meeting: a file that does not exist yet, the same for all. Raises LostPeerError where the others do not come.
    """
    if loopback := next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), ""):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)  # else it looks up the host's name, perhaps in vain
    if device.type == "cuda":
        torch.cuda.set_device(device)
    with _with_the_others():
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
            store=dist.FileStore(str(meeting), count),
            rank=rank,
            world_size=count,
            timeout=PATIENCE,
        )
    yield Together(rank, count)
    dist.destroy_process_group()  # not after an error, where the others may be gone: the process ends


def batch_statistics(model: nn.Module) -> Iterator[str]:
    """The layers, by name and kind, whose output or buffers depend on which rows come together, as they train now."""
    for name, module in model.named_modules():
        norm = module if module.training and isinstance(module, batchnorm._NormBase) else None
        if norm is not None and (isinstance(norm, batchnorm._BatchNorm) or norm.track_running_stats):
            yield f"{name} ({type(norm).__name__})"


def _reduce(values: Tensor, how: dist.ReduceOp.RedOpType = dist.ReduceOp.SUM) -> None:
    with _with_the_others():
        dist.all_reduce(values, how)


def _checksum(values: Tensor) -> Float[Tensor, " 2"]:
    real = torch.view_as_real(values) if values.is_complex() else values
    wide = real.detach().double()
    return torch.stack([wide.sum(), wide.square().sum()])


@contextmanager
def _with_the_others() -> Iterator[None]:
    """What goes wrong between ranks is that one of them is gone."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise LostPeerError(f"another process of this run is gone ({' '.join(str(error).split())[:200]})") from None
