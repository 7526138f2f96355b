"""What a model weighs, before it is trained: parameters, FLOPs and shapes a part, tokens, blind spots, lints.

The model is built and run forward once on the meta device, where tensors have shapes but no numbers, so that even a
full-size study answers in seconds. FLOPs are those of one sample (one window, or one clip), forward, 2 x MAC;
attention is counted by its plain form, since the fused kernels count as zero.

What a model may say of itself (parts, notes, lints, receptive field) is in `ablate.contract.Model`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.hooks import RemovableHandle

from ablate.config import Config
from ablate.contract import (
    DataSpec,
    EncodingBatch,
    EncodingSpec,
    FusionBatch,
    Model,
    ModelOptions,
    PastSpikes,
    example_batch,
)
from ablate.errors import AblateError
from ablate.model import lint
from ablate.model.layer.attention.self_attention import Attention
from ablate.model.layer.tokenizer import Tokenizer
from ablate.model.shape.flops import Flops
from ablate.model.shape.remembered import Remembered
from ablate.model.shape.uncompiled import uncompiled
from ablate.result.record import ModelCost, Tokens

SOME_RATE = 0.1
"""Spikes a bin: what a model weighs does not depend on how much a unit fires."""

Shapes = tuple[tuple[str, tuple[int, ...], bool], ...]
"""Name, shape and trainability of each parameter."""

_described: dict[tuple[str, DataSpec], tuple[ModelCost, Shapes]] = {}


def describe(config: ModelOptions, spec: DataSpec) -> ModelCost:
    """The cost of `config.build(spec)`, found once in a process: most variants of a recipe have the same parent.

    Raises AblateError where the model does not fit the data.
    """
    return described(config, spec)[0]


def described(config: ModelOptions, spec: DataSpec) -> tuple[ModelCost, Shapes]:
    """The same, with its parameters."""
    if isinstance(spec, EncodingSpec):
        alike = (replace(one, mean_rate=(SOME_RATE,) * one.units) for one in spec.sessions)
        spec = replace(spec, sessions=tuple(alike))
    if not isinstance(config, Config):  # options of no known form have no text to be found by
        return _describe(config, spec)
    key = (f"{type(config).__module__}.{type(config).__qualname__} {config.model_dump_json()}", spec)
    if key not in _described:
        _described[key] = _describe(config, spec)
    return _described[key]


def shapes_of(model: nn.Module) -> Shapes:
    return tuple((name, tuple(p.shape), p.requires_grad) for name, p in model.named_parameters())


def _describe(config: ModelOptions, spec: DataSpec) -> tuple[ModelCost, Shapes]:
    with torch.random.fork_rng(devices=[]), uncompiled():  # the caller's streams of random numbers stay as they are
        model = outline(config, spec)
        one = replace(spec, sessions=spec.sessions[:1]) if isinstance(spec, EncodingSpec) else spec
        probe = _Probe(model if one is spec else outline(config, one), one)
    parts = {name: _count(modules) for name, modules in parts_of(model).items()}
    listed = {id(p) for modules in parts_of(model).values() for module in modules for p in module.parameters()}
    rest = sum(p.numel() for p in model.parameters() if id(p) not in listed)
    if rest:
        parts["other"] = rest
    cost = ModelCost(
        parts=parts,
        total_parameters=sum(p.numel() for p in model.parameters()),
        trainable_parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        frozen=_frozen(model),
        inputs=probe.inputs,
        flops=probe.flops,
        shapes=probe.shapes,
        tokens=probe.tokens,
        pixels_never_seen=probe.pixels_never_seen,
        receptive_field=None if (field := probe.model.receptive_field) is None else dict(field),
        notes=probe.model.cost_notes(),
        reads_spikes=probe.model.reads_spikes,
        lints=tuple(dict.fromkeys(_lints(spec, probe))),
    )
    return cost, shapes_of(model)


def module_parameters(config: ModelOptions, spec: DataSpec, *, depth: int) -> list[tuple[str, int]]:
    """Parameters of every module that has some, down to `depth` names below the model, in the order of the flow."""
    with torch.random.fork_rng(devices=[]):
        model = outline(config, spec)
    named = [(name, _count([module])) for name, module in model.named_modules() if 0 < len(name.split(".")) <= depth]
    return [(name, number) for name, number in named if name and number]


def parts_of(model: Model) -> dict[str, list[nn.Module]]:
    """The model's parts in the order of the flow, each as a list of modules."""
    return {name: [part] if isinstance(part, nn.Module) else list(part) for name, part in model.parts().items()}


def outline(config: ModelOptions, spec: DataSpec) -> Model:
    """The model on the meta device, or on the CPU where a user's own part cannot be built without numbers."""
    try:
        with torch.device("meta"), uncompiled(), Remembered():
            return config.build(spec)
    except AblateError:
        raise
    except (RuntimeError, NotImplementedError):
        return config.build(spec)


def _frozen(model: Model) -> dict[str, int]:
    """Parameters without gradient, of the parts that have any."""
    counted = {
        name: sum({id(p): p.numel() for m in modules for p in m.parameters() if not p.requires_grad}.values())
        for name, modules in parts_of(model).items()
    }
    return {name: number for name, number in counted.items() if number}


def _count(modules: Iterable[nn.Module]) -> int:
    """Parameters, each once."""
    return sum({id(p): p.numel() for module in modules for p in module.parameters()}.values())


class _Probe:
    """One forward pass of one sample, with what it shows."""

    def __init__(self, model: Model, spec: DataSpec):
        self.model = model.eval()
        self.flops: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.inputs: dict[str, tuple[int, ...]] = {}
        self.group_sizes: dict[str, int] = {}
        self.frames = self.frames_cropped = self.tubelet_width = 0
        self.pixels_never_seen = 0.0
        self.tokens: Tokens | None = None
        self._reached: set[int] = set()
        self._counter = Flops()
        self._handles: list[RemovableHandle] = []
        self._watch()
        try:
            self._run(spec)
        finally:
            for handle in self._handles:
                handle.remove()

    def _watch(self) -> None:
        """Hooks on the parts, on attention and on the tokenizer."""
        for name, modules in parts_of(self.model).items():
            self.flops[name] = 0
            for module in modules:
                before: list[int] = []
                self._hook(module.register_forward_pre_hook, lambda *_, b=before: b.append(self._counter.total))
                self._hook(module.register_forward_hook, lambda _, __, out, n=name, b=before: self._leave(n, b, out))
                for inner in module.modules():
                    if isinstance(inner, Attention):
                        self._hook(inner.register_forward_pre_hook, lambda _, args, n=name: self._attend(n, args[0]))
        for module in self.model.modules():
            if isinstance(module, Tokenizer):
                self._hook(module.register_forward_pre_hook, lambda m, args: self._tokenize(m, args[0]))
        backbone = self.model.backbone()
        if backbone is not None:
            self._hook(backbone.register_forward_hook, lambda _, __, out: self._map(out))

    def _hook(self, register: Callable[..., RemovableHandle], action: Callable[..., None]) -> None:
        self._handles.append(register(action))

    def _leave(self, name: str, before: list[int], out: object) -> None:
        self.flops[name] += self._counter.total - before.pop()
        if isinstance(out, Tensor):
            self.shapes[name] = tuple(out.shape[1:])

    def _attend(self, part: str, x: Tensor) -> None:
        self.group_sizes[part] = min(x.shape[2], self.group_sizes.get(part, x.shape[2]))

    def _tokenize(self, tokenizer: Tokenizer, video: Tensor) -> None:
        self.frames = video.shape[2]
        self.frames_cropped = tokenizer.frames_cropped(self.frames)
        self.pixels_never_seen = tokenizer.pixels_never_seen
        self.tubelet_width = tokenizer.conv.out_channels

    def _map(self, out: Tensor) -> None:
        self.tokens = Tokens(time=out.shape[2], space=(out.shape[3], out.shape[4]))

    def _run(self, spec: DataSpec) -> None:
        """Forward under the counter."""
        batch = example_batch(spec, self.model.device)
        if isinstance(batch, FusionBatch):
            self.inputs = {"frames": tuple(batch.frames.shape[1:]), "eeg": tuple(batch.eeg.shape[1:])}
        asked = [0] if isinstance(batch, FusionBatch) else _watched_past(batch)
        with sdpa_kernel(SDPBackend.MATH), Remembered(), self._counter:  # the counter is asked first
            outputs = self.model(batch)
        self._reached = leaves_of(outputs)
        if max(asked) > self.model.reads_spikes:
            what = f"the model reads spikes of {max(asked)} bins before a bin"
            said = f"{what}, and its `reads_spikes` says {self.model.reads_spikes}"
            raise AblateError(said, where="baseline", hint="say what it reads: scores are conditional on it")

    def disconnected(self) -> list[str]:
        """Trainable parameters that no output depends on."""
        return [name for name, p in self.model.named_parameters() if p.requires_grad and id(p) not in self._reached]


def _watched_past(batch: EncodingBatch) -> list[int]:
    """How many bins of past spikes are asked for, once the model has run; 0 stands first."""
    asked = [0]
    for windows in batch.sessions:
        past = windows.past
        if past is not None:

            def read(bins: Tensor, count: int, past: PastSpikes = past) -> Tensor:
                asked.append(count)
                return past.read(bins, count)

            windows.past = PastSpikes(past.bins, read)
    return asked


def leaves_of(outputs: Sequence[Tensor]) -> set[int]:
    """The ids of the tensors that a backward pass from these would reach, by the graph alone: a pass costs as much as
    the rest of a description.
    """
    waiting = [out.grad_fn for out in outputs if out.grad_fn is not None]
    seen, leaves = set(waiting), {id(out) for out in outputs}
    while waiting:
        node = waiting.pop()
        variable = getattr(node, "variable", None)  # only the nodes of leaves have it
        if variable is not None:
            leaves.add(id(variable))
        following = {after for after, _ in node.next_functions if after is not None} - seen
        seen |= following
        waiting += following
    return leaves


def _lints(spec: DataSpec, probe: _Probe) -> Iterable[str]:
    """All warnings, the model's own first."""
    yield from probe.model.lints()
    yield from lint.data_lints(spec)
    yield from lint.coverage_lints(probe.pixels_never_seen, probe.frames_cropped, probe.frames)
    yield from lint.tubelet_lints(probe.tubelet_width)
    yield from lint.attention_lints(probe.group_sizes)
    yield from lint.gradient_lints(probe.disconnected())
