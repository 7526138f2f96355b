"""ViViT: the recorded baseline's numbers, patch dropout, spatial causality."""

import pytest
import torch

from ablate.contract import FeatureMap
from ablate.model.core.vivit import ViViT, ViViTConfig

GRID = FeatureMap.of_grid(4, 51, 51)
P1 = {"kernel_size": (8, 4, 4), "stride": (8, 4, 4)}


def parameters(core: ViViT) -> dict[str, int]:
    return {name: sum(p.numel() for p in part.parameters()) for name, part in core.parts().items()}


def small(**options: object) -> ViViT:
    torch.manual_seed(0)
    sizes = {"embedding_dim": 8, "num_heads": 2, "head_dim": 4, "ff_dim": 8, "dropout": 0.0, "drop_path": 0.0}
    config = {"tokenizer": {"kernel_size": (2, 4, 4), "stride": (2, 4, 4)}, **sizes, **options}
    return ViViTConfig.model_validate(config).build(FeatureMap.of_grid(1, 16, 16))


def test_the_baseline_has_the_parameters_of_the_reference_to_the_last_digit() -> None:
    with torch.device("meta"):
        core = ViViTConfig().build(GRID)
    assert parameters(core) == {"tokenizer": 4_592_000, "spatial_blocks": 2_368_512, "temporal_blocks": 2_368_512}


def test_p1_has_the_parameters_of_the_reference_to_the_last_digit() -> None:
    with torch.device("meta"):
        core = ViViTConfig.model_validate({"tokenizer": P1}).build(GRID)
    assert parameters(core)["tokenizer"] == 361_856
    assert core(torch.empty(1, 4, 300, 51, 51, device="meta")).shape == (1, 192, 37, 12, 12)


def test_p4_changes_the_blocks() -> None:
    """In the lab's code a nested key won, and `ff_dim: 1024` had no effect."""
    with torch.device("meta"):
        wide = ViViTConfig(ff_dim=1024).build(GRID)
    grown = parameters(wide)["spatial_blocks"] - 2_368_512
    assert grown == 4 * (192 * 2 * 256 + 2 * 256 + 256 * 192)


@pytest.mark.parametrize("options", [{}, {"spatial_causal": False, "rope": "axial", "registers": 2}])
def test_places_left_out_are_put_back_as_zeros(options: dict[str, object]) -> None:
    core = small(patch_dropout=0.5, final_activation="none", **options).train()
    out = core(torch.randn(3, 1, 6, 16, 16))
    assert out.shape == (3, 8, 3, 4, 4)
    empty = (out == 0).all(1).flatten(2)  # sample, step, place
    assert (empty.sum(-1) == 8).all()
    assert torch.equal(empty[:, 0], empty[:, 2])  # the same places at every step


def test_places_left_out_tell_the_others_nothing() -> None:
    core = small(patch_dropout=0.5, spatial_causal=False, final_activation="none").train()
    x = torch.randn(1, 1, 4, 16, 16)
    torch.manual_seed(7)
    before = core(x)
    empty = (before == 0).all(1).all(1)[0]  # rows, columns
    hidden = empty.repeat_interleave(4, 0).repeat_interleave(4, 1)
    changed = torch.where(hidden, torch.full_like(x, 9.0), x)
    torch.manual_seed(7)
    assert torch.equal(core(changed), before)


def test_no_place_is_left_out_in_evaluation() -> None:
    core = small(patch_dropout=0.5, final_activation="none").eval()
    assert (core(torch.randn(1, 1, 4, 16, 16)) != 0).all()


def test_element_wise_patch_dropout_leaves_no_place_out() -> None:
    core = small(patch_dropout=0.5, patch_dropout_kind="element", final_activation="none").train()
    out = core(torch.randn(2, 1, 4, 16, 16))
    assert not (out == 0).all(1).any()
    assert not torch.equal(out, core.eval()(torch.randn(2, 1, 4, 16, 16)))


@pytest.mark.parametrize(("causal", "seen"), [(True, False), (False, True)])
def test_spatial_causality_hides_the_places_below(causal: bool, seen: bool) -> None:
    core = small(spatial_causal=causal).eval()
    x = torch.randn(1, 1, 2, 16, 16)
    changed = x.clone()
    changed[..., -4:, -4:] += 1  # the last token in raster order
    with torch.no_grad():
        first = (core(x) != core(changed))[..., 0, 0].any()
    assert bool(first) is seen


def test_axial_and_raster_positions_differ_and_none_is_blind_to_order() -> None:
    x = torch.randn(1, 1, 2, 16, 16)
    with torch.no_grad():
        outputs = {rope: small(rope=rope, spatial_causal=False).eval()(x) for rope in ("raster", "axial", "none")}
        assert not torch.allclose(outputs["raster"], outputs["axial"])
        mirrored = small(rope="none", spatial_causal=False).eval()(
            x.unflatten(-1, (4, 4)).flip(-2).flatten(-2)  # whole tokens swapped, left to right
        )
    torch.testing.assert_close(mirrored.flip(-1), outputs["none"], rtol=1e-4, atol=1e-5)


def test_lints_name_the_options_that_nothing_reads() -> None:
    unread = ViViTConfig(num_spatial_blocks=0, registers=3, patch_dropout=0.0, patch_dropout_kind="element")
    told = unread.build(GRID).lints()
    assert [text.split(":")[0] for text in told] == ["registers", "patch_dropout_kind"]
    assert ViViTConfig(spatial_causal=False).build(GRID).lints() == ()
