"""A model configuration and a batch in, everything that an option could change out: parameters, cost, loss, gradient.

All random streams are fixed, so that two configurations that no code tells apart give the same bits. Some options
show only away from the initial weights (a gate that starts at zero, a bound that nothing has reached) or later in
training (a schedule), so the same is asked again at perturbed weights and at later points of training.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import torch
from torch import Tensor, nn

from ablate.contract import Batch, DataSpec, Model, ModelOptions, PastSpikes
from ablate.model.cost import Shapes, outline, shapes_of
from ablate.training import seeded, stream_seed
from ablate.training.loss import mean_loss

STAGES = ((0.0, 0.0), (0.1, 0.5), (1.0, 0.25), (1.0, 1.0))
"""(size of the perturbation, share of training done): the initial weights, then near them, then far from them."""

PAST = 8
"""Bins of past spikes that tell batches apart."""


def shapes(config: ModelOptions, spec: DataSpec) -> Shapes:
    """Of the parameters, without making any numbers where that is possible."""
    with torch.random.fork_rng(devices=[]):
        return shapes_of(outline(config, spec))


def behavior(config: ModelOptions, spec: DataSpec, batch: Batch) -> Iterator[str]:
    """Hashes of all that a model does, the cheapest first: two models that differ in one of them are different.

    The initial weights; then at each stage the loss and the predictions, with and without dropout, and the gradients.
    """
    with seeded(stream_seed(0, "init")):
        model = config.build(spec)
    model.begin()
    yield digest(dict(model.state_dict()))
    for size, fraction in STAGES:
        _perturb(model, size)
        model.progress(fraction)
        for training in (True, False):
            yield digest(_forward(model, batch, spec, training=training))
        yield digest(_gradients(model, batch, spec))


def digest(tensors: dict[str, Tensor]) -> str:
    """Hash of names and bits."""
    total = hashlib.sha256()
    for name, value in tensors.items():
        total.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        total.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def batch_tensors(batch: object, place: str = "") -> dict[str, Tensor]:
    """All tensors of a batch by their place in it."""
    if isinstance(batch, Tensor):
        return {place: batch}
    if isinstance(batch, PastSpikes):
        return {f"{place} spikes": batch.read(batch.bins, PAST)}  # `before` would load the compiler
    if is_dataclass(batch):
        parts = {field.name: vars(batch)[field.name] for field in fields(batch)}
    elif isinstance(batch, tuple | list):
        parts = {str(index): item for index, item in enumerate(batch)}
    else:
        return {} if batch is None else {f"{place} {batch}": torch.zeros(0)}
    return {name: value for key, part in parts.items() for name, value in batch_tensors(part, f"{place}.{key}").items()}


def _forward(model: Model, batch: Batch, spec: DataSpec, *, training: bool) -> dict[str, Tensor]:
    """Loss, penalty, and the predictions in train or in eval mode."""
    with torch.no_grad(), seeded(stream_seed(0, "dropout")):
        predictions = model.train(training)(batch)
        found = {f"prediction {index}": value for index, value in enumerate(predictions)}
        return {**found, "loss": mean_loss(predictions, batch, spec.task), "penalty": model.penalty()}


def _gradients(model: Model, batch: Batch, spec: DataSpec) -> dict[str, Tensor]:
    """The gradient of the loss in train mode, and that of the penalty, which is small beside it, on its own."""
    found: dict[str, Tensor] = {}
    with seeded(stream_seed(0, "dropout")):
        for name in ("loss", "penalty"):
            model.train().zero_grad(set_to_none=True)
            total = mean_loss(model(batch), batch, spec.task) if name == "loss" else model.penalty()
            if total.requires_grad:
                total.backward()
            found |= {f"{name} {key}": p.grad.clone() for key, p in model.named_parameters() if p.grad is not None}
    return found


def _perturb(model: nn.Module, size: float) -> None:
    """Moves every parameter by normal noise of its own stream, so that one more parameter shifts no other's."""
    if size == 0:
        return
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):
            generator = torch.Generator().manual_seed(index)
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
            parameter.add_(size * noise.to(parameter.dtype))
