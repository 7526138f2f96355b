"""Counts the graphs that Dynamo makes of compiled models, named on the command line; JSON out. Run by test_compiled.py.

A process of its own, since the runtime shape check of the test suite cannot itself be compiled.
"""

import itertools
import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ablate.contract import EncodingBatch, EncodingSpec, FusionBatch, FusionSpec, SessionSpec, SessionWindows, Target
from ablate.model import EncoderConfig, FusionConfig

ROWS, EVALUATED = 6, 4
CORE = {
    "type": "vivit",
    "tokenizer": {"kernel_size": [4, 4, 4], "stride": [4, 4, 4]},
    "embedding_dim": 8,
    "num_spatial_blocks": 1,
    "num_temporal_blocks": 1,
    "num_heads": 2,
    "head_dim": 4,
    "ff_dim": 8,
}
TOKENS = {name: CORE[name] for name in ("embedding_dim", "num_heads", "head_dim", "ff_dim")}
OTHER_CORES = {
    "resnet": {"type": "resnet", "channels": [4, 4, 8], "squeeze_excite": [2, 2]},
    "hybrid": {
        "type": "hybrid_cnn_transformer",
        "channels": [4, 4, 8],
        "squeeze_excite": [2, 2],
        "num_temporal_blocks": 1,
        **TOKENS,
    },
    "frame_vit": {"type": "frame_vit", "num_spatial_blocks": 1, **TOKENS},
}


class Counter:
    """A backend that runs what it is given as it stands, and counts it."""

    def __init__(self) -> None:
        self.graphs = 0

    def __call__(self, module: torch.fx.GraphModule, inputs: Any) -> Callable[..., Any]:
        self.graphs += 1
        return module.forward


def encoding_spec(sessions: int = 5) -> EncodingSpec:
    made = (SessionSpec(f"s{i}", 8, 8, 3 + i, 2, 60.0, (0.5,) * (3 + i)) for i in range(sessions))
    return EncodingSpec(tuple(made), window=16, score_every=4, warmup=4)


def encoding_batch(spec: EncodingSpec, sessions: tuple[int, ...], rows: int) -> EncodingBatch:
    """That many windows in all, shared out among those sessions."""
    windows = []
    for place, index in enumerate(sessions):
        own = rows // len(sessions) + (place < rows % len(sessions))
        session, shape = spec.sessions[index], (own, len(spec.lags), spec.sessions[index].units)
        target = Target(index, torch.zeros(shape), torch.ones(shape, dtype=torch.bool))
        video = torch.randn(own, 1, spec.window, session.height, session.width)
        windows.append(SessionWindows(index, video, torch.randn(own, spec.window, session.behaviors), target))
    return EncodingBatch(tuple(windows), spec.lags)


def session_sets(sessions: int = 5) -> list[tuple[int, ...]]:
    """25 different ones, of one to three sessions."""
    sizes = (itertools.combinations(range(sessions), size) for size in (1, 2, 3))
    return list(itertools.chain.from_iterable(sizes))[:25]


def steps(model: nn.Module, batches: list[Any], last: list[Any]) -> float:
    """Trains on the batches and evaluates the last ones; gives the largest difference from what runs uncompiled."""
    for batch in batches:
        torch.stack([prediction.sum() for prediction in model(batch)]).sum().backward()
    model.eval()
    with torch.no_grad():
        return max((apart(model(batch), plain(model, batch)) for batch in last), default=0.0)


def apart(first: tuple[Tensor, ...], second: tuple[Tensor, ...]) -> float:
    return max(float((one - other).abs().max()) for one, other in zip(first, second, strict=True))


def plain(model: nn.Module, batch: Any) -> tuple[Tensor, ...]:
    """Without anything compiled."""
    with torch.compiler.set_stance("force_eager"):
        out: tuple[Tensor, ...] = model(batch)
    return out


def encoder(
    compile: Callable[[nn.Module, Counter], None],
    modulator: dict[str, Any],
    *,
    sets: int,
    evaluated: int,
    core: dict[str, Any] = CORE,
) -> dict[str, float]:
    spec, counter = encoding_spec(), Counter()
    parts = {"core": core, "modulator": modulator, "adapter": {"type": "none"}}
    model = EncoderConfig.model_validate(parts).build(spec)
    compile(model, counter)
    shown = [encoding_batch(spec, chosen, ROWS) for chosen in session_sets()[:sets]]
    last = [encoding_batch(spec, s, rows) for s in session_sets()[:evaluated] for rows in (EVALUATED, EVALUATED - 1)]
    difference = steps(model, shown, last)
    return {"graphs": counter.graphs, "difference": difference}


def fusion(frames: tuple[int, ...], video: dict[str, Any], mixer: str) -> dict[str, float]:
    spec = FusionSpec(("a",), 2, 3, frames, 3, 24, 2, (0.5, 0.5), "interval")
    sections = {"video": video, "mixer": {"type": mixer}, "eeg": {"type": "eegnet", "kernel_size": 5}}
    model, counter = FusionConfig.model_validate({"embedding_dim": 8, **sections}).build(spec), Counter()
    model.compile(backend=counter)
    difference = steps(model, [fusion_batch(spec, ROWS) for _ in range(8)], [fusion_batch(spec, n) for n in (4, 3, 4)])
    return {"graphs": counter.graphs, "difference": difference}


def fusion_batch(spec: FusionSpec, rows: int) -> FusionBatch:
    mask = torch.rand(rows, spec.intervals, spec.frames) < 0.7
    mask[:, :, 0] = True
    shown = torch.rand(rows, spec.intervals, spec.frames, *spec.frame_shape) * 255
    target = Target(0, torch.zeros(rows, spec.intervals, dtype=torch.long), torch.ones(rows, spec.intervals) > 0)
    return FusionBatch(torch.randn(rows, spec.eeg_channels, spec.eeg_samples), shown, mask, (target,))


def recomputing(model: nn.Module, counter: Counter) -> None:
    """With activation checkpointing: each block is a call within the graph, which is gone through twice."""
    model.recompute()  # type: ignore[operator]
    model.compile(backend=counter)


def whole(model: nn.Module, counter: Counter) -> None:
    """As it stood before: the session's number is in the graph."""
    nn.Module.compile(model, backend=counter, dynamic=False)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    ours: Callable[[Any, Counter], None] = lambda model, counter: model.compile(backend=counter)  # noqa: E731
    small = {"type": "small_vit", "patch_size": 4, "width": 8, "depth": 1, "heads": 2}
    cases: dict[str, Callable[[], dict[str, float]]] = {
        "encoder": lambda: encoder(ours, {"type": "convgru", "hidden_dim": 4, "beh_emb_dim": 2}, sets=25, evaluated=6),
        "recomputed": lambda: encoder(recomputing, {"type": "none"}, sets=3, evaluated=1),
        "planted": lambda: encoder(whole, {"type": "none"}, sets=3, evaluated=0),
        **{
            name: lambda core=core: encoder(ours, {"type": "film"}, sets=4, evaluated=2, core=core)  # type: ignore[misc]
            for name, core in OTHER_CORES.items()
        },
        "features": lambda: fusion((5,), {"type": "features"}, "gru"),
        "pixels": lambda: fusion((3, 8, 8), small, "transformer"),
    }
    json.dump({name: cases[name]() for name in sys.argv[1:]}, sys.stdout)


if __name__ == "__main__":
    main()
