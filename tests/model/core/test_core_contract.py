"""What every core promises, whatever its options: causal, aligned to the newest frame, seeded, connected."""

import typing
from typing import Any, Literal, get_args, get_origin

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn

from ablate.contract import FeatureMap
from ablate.model.core import CoreConfig, ImportedPart
from ablate.model.layer.attention.transformer_block import TransformerBlock

GRID = FeatureMap.of_grid(2, 12, 14)
SMALL: dict[str, dict[str, Any]] = {
    "vivit": {
        "tokenizer": {"kernel_size": (2, 4, 4), "stride": (2, 4, 4)},
        "embedding_dim": 8,
        "num_spatial_blocks": 1,
        "num_temporal_blocks": 1,
        "num_heads": 2,
        "head_dim": 4,
        "ff_dim": 8,
    },
    "resnet": {"channels": (4, 4, 8), "squeeze_excite": (2, 2)},
    "hybrid_cnn_transformer": {
        "channels": (4, 4, 8),
        "squeeze_excite": (2, 2),
        "embedding_dim": 8,
        "num_temporal_blocks": 1,
        "num_heads": 2,
        "head_dim": 4,
        "ff_dim": 8,
    },
    "frame_vit": {"embedding_dim": 8, "num_spatial_blocks": 1, "num_heads": 2, "head_dim": 4, "ff_dim": 8},
}
FURTHER: list[tuple[str, dict[str, Any]]] = [
    ("vivit", {"tokenizer": {"kernel_size": (4, 4, 4), "stride": (2, 2, 2)}}),
    ("vivit", {"tokenizer": {"kernel_size": (1, 3, 3), "stride": (1, 4, 4)}}),
    ("vivit", {"spatial_causal": False}),
    ("vivit", {"qk_norm": True, "final_norm": True}),
    ("vivit", {"registers": 2}),
    ("vivit", {"registers": 2, "rope": "axial", "spatial_causal": False}),
    ("vivit", {"num_spatial_blocks": 0}),
    ("vivit", {"num_temporal_blocks": 0}),
    ("resnet", {"squeeze_excite": (0, 0)}),
    ("resnet", {"dilation": (1, 1, 1)}),
    ("resnet", {"stem_stride": (1, 2, 2)}),
    ("resnet", {"stem_stride": (4, 1, 1), "pool_strides": (1, 2)}),
    ("resnet", {"kernel_sizes": ((1, 3, 3), (5, 3, 3), (2, 3, 5))}),
    ("hybrid_cnn_transformer", {"stem_stride": (4, 2, 2), "stem_kernel": (5, 3, 3)}),
    ("hybrid_cnn_transformer", {"qk_norm": True, "final_norm": True, "squeeze_excite": (0, 0)}),
    ("hybrid_cnn_transformer", {"num_temporal_blocks": 0}),
    ("frame_vit", {"mixer": {"type": "tcn"}, "patch_size": 4, "stride": 3}),
    ("frame_vit", {"mixer": {"type": "mamba"}, "time_step": 2}),
    ("frame_vit", {"mixer": {"type": "transformer"}, "time_step": 4}),
    ("frame_vit", {"num_spatial_blocks": 0}),
]


def members() -> dict[str, Any]:
    """Every core of the union by its type, a user's own aside."""
    union, _ = get_args(CoreConfig)
    return {member().type: member for member in get_args(union) if member is not ImportedPart}


def literals() -> list[tuple[str, dict[str, Any]]]:
    """Every value of every `Literal` option of every core."""
    found = []
    for name, member in members().items():
        hints = typing.get_type_hints(member)
        for option in member.model_fields:
            if option != "type" and get_origin(hints[option]) is Literal:
                found += [(name, {option: value}) for value in get_args(hints[option])]
    return found


CASES = [(name, {}) for name in SMALL] + literals() + FURTHER
LEAKS = {"shortcut_alignment": "visioncore"}
each_case = pytest.mark.parametrize(("name", "options"), CASES, ids=lambda value: str(value))


def build(name: str, options: dict[str, Any], seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    config = TypeAdapter(CoreConfig).validate_python({"type": name, **SMALL[name], **options})
    return config.build(GRID)


def video(frames: int, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, GRID.channels, frames, GRID.height, GRID.width)


def test_every_core_of_the_union_is_tested() -> None:
    assert set(members()) <= set(SMALL)


@each_case
@pytest.mark.parametrize("frames", [12, 13])
def test_a_future_frame_never_changes_a_past_step(name: str, options: dict[str, Any], frames: int) -> None:
    if options == LEAKS:
        pytest.skip("the lab's alignment leaks: see the next test but one")
    core = build(name, options).eval()
    x = video(frames)
    with torch.no_grad():
        before = core(x)
        steps = before.shape[2]
        for back in range(1, steps):
            changed = x.clone()
            changed[:, :, frames - back * core.out.time_step :] = torch.randn(())  # all that is newer than that step
            assert torch.equal(core(changed)[:, :, : steps - back], before[:, :, : steps - back])


@each_case
@pytest.mark.parametrize("frames", [12, 13])
def test_the_newest_step_sees_the_newest_frame(name: str, options: dict[str, Any], frames: int) -> None:
    core = build(name, options).eval()
    x = video(frames)
    changed = x.clone()
    changed[:, :, -1] += 1
    with torch.no_grad():
        assert not torch.allclose(core(x)[:, :, -1], core(changed)[:, :, -1])


def test_the_labs_shortcut_lets_all_steps_but_the_newest_see_later_frames() -> None:
    """It adds frames 2, 3, 4 of the shortcut to frames 0, 2, 4 of the main path."""
    core = build("resnet", LEAKS).eval()
    x = video(5)
    changed = x.clone()
    changed[:, :, 2] += 1
    with torch.no_grad():
        differs = (core(x) != core(changed)).flatten(3).any(-1).any(1)
    assert differs[:, 0].all()


@each_case
def test_the_map_is_what_the_core_says(name: str, options: dict[str, Any]) -> None:
    core = build(name, options)
    out = core(video(13))
    assert out.shape[:2] == (2, core.out.channels)
    assert out.shape[3:] == (core.out.height, core.out.width)
    assert (len(core.out.row_centers), len(core.out.col_centers)) == out.shape[3:]
    assert sorted(core.out.row_centers) == list(core.out.row_centers)


@each_case
def test_every_parameter_gets_a_gradient(name: str, options: dict[str, Any]) -> None:
    core = build(name, options).eval()
    out = core(video(13))
    (out * torch.randn_like(out)).sum().backward()
    silent = [key for key, p in core.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


@each_case
def test_parts_hold_every_parameter_once(name: str, options: dict[str, Any]) -> None:
    core = build(name, options)
    listed = [id(p) for part in core.parts().values() for p in part.parameters()]
    assert sorted(listed) == sorted(id(p) for p in core.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_weights(name: str) -> None:
    first, second = build(name, {}).state_dict(), build(name, {}).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    other = build(name, {}, seed=1).state_dict()
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", SMALL)
def test_evaluation_is_deterministic_and_training_is_not(name: str) -> None:
    core, x = build(name, {}), video(12)
    assert torch.equal(core.eval()(x), core(x))
    assert not torch.equal(core.train()(x), core(x))


@pytest.mark.parametrize("name", SMALL)
def test_a_sample_does_not_depend_on_its_batch(name: str) -> None:
    core, x = build(name, {}).eval(), video(12, batch=5)
    with torch.no_grad():
        torch.testing.assert_close(core(x)[3:], core(x[3:]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_a_core_runs_under_autocast(name: str) -> None:
    core = build(name, {})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = core(video(12))
    out.float().sum().backward()
    assert out.isfinite().all()


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ValueError, match="embeding_dim"):
        TypeAdapter(CoreConfig).validate_python({"type": "vivit", "embeding_dim": 3})


def test_drop_path_reaches_every_block() -> None:
    core = build("vivit", {"drop_path": 0.25, "dropout": 0.5})
    blocks = [module for module in core.modules() if isinstance(module, TransformerBlock)]
    assert [block.drop_path.share for block in blocks] == [0.25, 0.25]
    assert [block.dropout.p for block in blocks] == [0.5, 0.5]


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("training", [True, False])
def test_a_core_compiles_to_one_graph(name: str, training: bool, request: pytest.FixtureRequest) -> None:
    """No branch depends on data."""
    if request.config.getoption("jaxtyping_packages", None):
        pytest.skip("the runtime shape check itself cannot be compiled")
    core = build(name, {"rope": "axial", "registers": 1} if name == "vivit" else {}).train(training)
    compiled = torch.compile(core, backend="eager", fullgraph=True)
    assert compiled(video(12)).shape == core(video(12)).shape
