"""The memory that is predicted of a training step is what real tensors take where a CPU goes a card's ways."""

import weakref
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ablate.contract import EncodingSpec, Model, SessionSpec, example_batch
from ablate.model import footprint as predictor
from ablate.model.encoder import EncoderConfig
from ablate.model.footprint import Footprint, footprint
from ablate.model.layer import autocasting
from ablate.model.layer.convolution import causal_conv, prepared
from ablate.model.layer.winograd import convolve as winograd
from ablate.model.modulator import convgru

SESSION = SessionSpec("a", 25, 25, 5, 3, 120.0, (0.1,) * 5)
OTHER = replace(SESSION, name="b", units=7, mean_rate=(0.1,) * 7)
SPEC = EncodingSpec(sessions=(SESSION, OTHER), window=32, score_every=8, warmup=8)
ROWS = 4
TOKENS = {"embedding_dim": 32, "num_heads": 2, "head_dim": 16, "ff_dim": 64, "dropout": 0.0, "drop_path": 0.0}
SMALL = {"channels": (8, 8, 16), "squeeze_excite": (2, 2)}
NONE = (0.0, 0.0, 0.0)
CORES = {
    "vivit": {"type": "vivit", **TOKENS, "patch_dropout": 0.0, "num_spatial_blocks": 1, "num_temporal_blocks": 1},
    "resnet": {"type": "resnet", **SMALL, "dropout": NONE},
    "hybrid": {"type": "hybrid_cnn_transformer", **SMALL, **TOKENS, "backbone_dropout": NONE},
}
KEPT, KEPT_BF16, PEAK = 0.02, 0.1, 0.1
"""Relative errors that are allowed: of what is kept, also where a CPU's autocast pools in float32, and of the peak."""


def options(name: str, **more: object) -> EncoderConfig:
    modulator = {"type": "convgru", "hidden_dim": 16, "beh_emb_dim": 4}
    return EncoderConfig.model_validate({"type": "encoder", "core": {**CORES[name], **more}, "modulator": modulator})


def predicted(config: EncoderConfig, *, rows: int = ROWS, bf16: bool = False, recomputed: bool = False) -> Footprint:
    found = footprint(config, SPEC, rows=rows, sessions=2, averaged=False, bf16=bf16, recomputed=recomputed)
    assert found is not None
    return found


@pytest.fixture
def as_on_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Direct convolutions, each in one, and the plain recurrence."""
    for module in (winograd, causal_conv):
        monkeypatch.setattr(module, "winograd_pays", lambda *_, **__: False)
    for way in ("by_stack", "by_taps"):
        monkeypatch.setattr(causal_conv.CausalConv3d, way, causal_conv.CausalConv3d.in_one)
    monkeypatch.setattr(prepared, "few_cells", lambda *_: False)
    monkeypatch.setattr(convgru, "recurrence_pays", lambda _: False)


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("bf16", [False, True])
def test_what_is_kept_is_what_real_tensors_keep(
    as_on_a_card: None, name: str, bf16: bool, monkeypatch: pytest.MonkeyPatch
):
    config = options(name)
    monkeypatch.setattr(autocasting, "SINGLE", ())  # a CPU's autocast leaves norms and sums in bfloat16
    real = really_kept(config, bf16=bf16)
    assert predicted(config, bf16=bf16).kept == pytest.approx(real, rel=KEPT_BF16 if bf16 else KEPT)


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize("name", CORES)
def test_the_peak_is_that_of_real_steps(as_on_a_card: None, name: str, recomputed: bool):
    found = predicted(options(name), recomputed=recomputed).peak
    assert found == pytest.approx(real_peak(options(name), recomputed=recomputed), rel=PEAK)


@pytest.mark.parametrize("fault", ["attention keeps its matrix", "each use of a map is counted"])
def test_a_wrong_count_is_found(as_on_a_card: None, fault: str, monkeypatch: pytest.MonkeyPatch):
    fine = {"kernel_size": (8, 3, 3), "stride": (8, 3, 3)}  # many tokens, whose matrix is large
    config = options("vivit", tokenizer=fine)
    real = really_kept(config, bf16=False)
    assert predicted(config).kept == pytest.approx(real, rel=KEPT)
    if fault == "attention keeps its matrix":
        monkeypatch.setattr(predictor, "FusedAttention", nullcontext)
    else:
        monkeypatch.setattr(predictor, "key", id)
    assert predicted(config).kept != pytest.approx(real, rel=KEPT)


def test_twice_the_rows_keep_twice_as_much():
    few, many = (predicted(options("vivit"), rows=rows) for rows in (4, 8))
    assert many.kept == pytest.approx(2 * few.kept, rel=0.01)
    assert many.cut(2) == pytest.approx(replace(few, accumulated=True).peak, rel=0.01)
    assert replace(few, accumulated=True).peak - few.peak == few.trained


def test_dropout_keeps_a_truth_where_a_cpu_keeps_a_number(as_on_a_card: None):
    dry, wet = options("vivit"), options("vivit", dropout=0.5)
    truths = predicted(wet).kept - predicted(dry).kept
    assert truths > 0
    assert really_kept(wet, bf16=False) - really_kept(dry, bf16=False) == 4 * truths


def test_the_average_is_a_copy_more():
    found = predicted(options("vivit"))
    assert replace(found, averaged=True).peak - found.peak == found.trained


# ------------------------------------------------------------------ real tensors


def really_kept(config: EncoderConfig, *, bf16: bool) -> int:
    model, batch = config.build(SPEC).train(), example_batch(SPEC, torch.device("cpu"), rows=ROWS, sessions=2)
    other = {predictor.key(one) for one in (*model.parameters(), *model.buffers(), *predictor.tensors_of(batch))}
    found: dict[int, int] = {}

    def keep(one: Tensor) -> Tensor:
        found.setdefault(predictor.key(one), predictor.size(one))
        return one

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda one: one)
    with hooks, torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
        held = model(batch)
    assert held
    return sum(size for place, size in found.items() if place not in other)


def real_peak(config: EncoderConfig, *, recomputed: bool) -> int:
    """Bytes of all tensors at the worst moment of two steps."""
    with Alive() as alive:
        model: Model = config.build(SPEC).train()
        if recomputed:
            model.recompute()
        batch = example_batch(SPEC, torch.device("cpu"), rows=ROWS, sessions=2)
        optimizer = torch.optim.AdamW(model.parameters(), fused=True)
        for _ in range(2):
            alive.peak = alive.now
            optimizer.zero_grad(set_to_none=True)
            torch.stack([rates.exp().sum() for rates in model(batch)]).sum().backward()
            optimizer.step()
    return alive.peak


class Alive(TorchDispatchMode):
    """Bytes of the tensors that are there, now and at the most."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for one in tree_leaves(out):
            if isinstance(one, Tensor):
                self._note(one.untyped_storage())
        return out

    def _note(self, storage: torch.UntypedStorage) -> None:
        place, size = storage._cdata, storage.nbytes()
        if place not in self._seen:
            self._seen.add(place)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._gone, place, size)

    def _gone(self, place: int, size: int) -> None:
        self._seen.discard(place)
        self.now -= size
