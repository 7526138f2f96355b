"""CASES 26 and 27: checkpoints of open_clip, of `{"model": ...}` and of `module.` names, and models without a class
token. The first were refused with 150 tensor names, the second by an AssertionError."""

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from ablate.errors import AblateError
from ablate.model.video.checkpoint import _in_timms_names
from ablate.model.video.timm_vit import TimmConfig, pools_of

TINY = "test_vit"


def source() -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    torch.manual_seed(5)
    model = timm.create_model(TINY, num_classes=7).eval()
    return model, dict(model.state_dict())


def features(weights: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """What the encoder gives for an image, and what the model that the file was written from gives."""
    encoder = TimmConfig(name=TINY, weights=str(weights), cache=False).build((3, 160, 160), 1, 1)
    frames = torch.randint(0, 256, (1, 1, 1, 3, 160, 160), dtype=torch.uint8)
    model, _ = source()
    expected = model.forward_head(model.forward_features(encoder.pixels.prepare(frames[0, 0])), pre_logits=True)  # type: ignore[operator]
    return encoder(frames, torch.ones(1, 1, 1, dtype=torch.bool), None)[0, 0], expected.detach()


def written(kind: str, state: dict[str, torch.Tensor]) -> Any:
    """The same weights as other programs write them."""
    match kind:
        case "model":
            return {"model": state, "epoch": 3}
        case "state_dict":
            return {"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}
        case "module":
            return {f"module.{name}": tensor for name, tensor in state.items()}
        case "open_clip":
            text = {"logit_scale": torch.ones(()), "text.positional_embedding": torch.zeros(7, 4)}
            trunk = {name: tensor for name, tensor in state.items() if not name.startswith("head.")}
            return {**text, **{f"visual.trunk.{name}": tensor for name, tensor in trunk.items()}}
        case "backbone":
            return {"decoder.weight": torch.zeros(2), **{f"backbone.{name}": tensor for name, tensor in state.items()}}
        case _:
            return state


@pytest.mark.parametrize("kind", ["plain", "model", "state_dict", "module", "open_clip", "backbone"])
def test_weights_are_read_as_several_programs_write_them(tmp_path: Path, kind: str) -> None:
    _, state = source()
    torch.save(written(kind, state), tmp_path / "weights.pt")
    torch.testing.assert_close(*features(tmp_path / "weights.pt"))


def test_safetensors_of_open_clip_are_read(tmp_path: Path) -> None:
    _, state = source()
    save_file(
        {name: tensor.clone() for name, tensor in written("open_clip", state).items()}, tmp_path / "w.safetensors"
    )
    torch.testing.assert_close(*features(tmp_path / "w.safetensors"))


def test_openais_names_are_the_models_names() -> None:
    """By the names in OpenAI's own model.py, in the sizes of ViT-B/32, with the tower of the text beside."""
    wide, patches = 768, 49
    with torch.device("meta"):
        model = timm.create_model("vit_base_patch32_clip_quickgelu_224", num_classes=0)
        state = {
            "visual.class_embedding": torch.empty(wide),
            "visual.positional_embedding": torch.empty(patches + 1, wide),
            "visual.proj": torch.empty(wide, 512),
            "visual.conv1.weight": torch.empty(wide, 3, 32, 32),
            "logit_scale": torch.empty(()),
            "text_projection": torch.empty(512, 512),
            "positional_embedding": torch.empty(77, 512),
            "token_embedding.weight": torch.empty(100, 512),
            "transformer.resblocks.0.ln_1.weight": torch.empty(512),
        }
        for name in ("ln_pre", "ln_post"):
            state |= {f"visual.{name}.{part}": torch.empty(wide) for part in ("weight", "bias")}
        for block in range(12):
            sizes = {"attn.in_proj_": 3 * wide, "attn.out_proj.": wide, "mlp.c_fc.": 4 * wide, "mlp.c_proj.": wide}
            for name, rows in sizes.items():
                columns = 4 * wide if name == "mlp.c_proj." else wide
                state[f"visual.transformer.resblocks.{block}.{name}weight"] = torch.empty(rows, columns)
                state[f"visual.transformer.resblocks.{block}.{name}bias"] = torch.empty(rows)
            for norm in ("ln_1", "ln_2"):
                for part in ("weight", "bias"):
                    state[f"visual.transformer.resblocks.{block}.{norm}.{part}"] = torch.empty(wide)
    named = _in_timms_names(state, model)
    own = model.state_dict()
    assert {name: tensor.shape for name, tensor in named.items()} == {name: own[name].shape for name in own}


def test_a_checkpoint_of_another_model_is_refused_in_a_few_words(tmp_path: Path) -> None:
    torch.save(timm.create_model("test_resnet", num_classes=0).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(AblateError) as raised:
        features(tmp_path / "weights.pt")
    (problem,) = raised.value.problems
    assert "does not fit the model: it lacks cls_token, pos_embed, patch_embed.proj.weight and" in problem.what
    assert len(problem.what) < 400


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.pt").write_bytes(content)
    with pytest.raises(AblateError, match="cannot be read"):
        features(tmp_path / "weights.pt")


def test_a_resnets_classifier_is_left_out(tmp_path: Path) -> None:
    """Only `head.` was known as a classifier; a ResNet's is called `fc.`."""
    model = timm.create_model("test_resnet", num_classes=5)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    encoder = TimmConfig(name="test_resnet", pool="avg", weights=str(tmp_path / "weights.pt"), cache=False).build(
        (3, 64, 64), 1, 1
    )
    for name, tensor in encoder.backbone.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])


# ------------------------------------------------------------------ 26: pooling


@pytest.mark.parametrize(
    ("name", "pools"),
    [
        ("test_vit3", ("avg", "map", "patches")),  # an attention pool and no class token, as SigLIP
        ("test_resnet", ("avg", "patches")),
        ("test_convnext", ("avg", "patches")),
        ("test_vit", ("token", "avg", "patches")),
        ("swin_tiny_patch4_window7_224", ("avg", "patches")),
        ("pit_ti_224", ("token", "patches")),
    ],
)
def test_what_a_model_has_no_pool_for_is_refused_with_what_it_has(name: str, pools: tuple[str, ...]) -> None:
    assert pools_of(name) == pools
    for pool in ("token", "avg", "map"):  # patches have a test of their own
        config = TimmConfig.model_validate({"name": name, "weights": "random", "pool": pool})
        with torch.device("meta"):
            if pool in pools:
                encoder = config.build((3, 64, 64), 1, 2)
                frames, mask = torch.zeros(1, 1, 2, 3, 64, 64), torch.ones(1, 1, 2, dtype=torch.bool)
                assert encoder(frames, mask, None).shape == (1, 1, 2, encoder.width)
                continue
            with pytest.raises(AblateError) as raised:
                config.build((3, 64, 64), 1, 2)
        (problem,) = raised.value.problems
        assert (problem.where, problem.what) == ("baseline.video.pool", f"`{name}` has no `pool: {pool}`")
        assert problem.hint == f"it has `pool: {'`, `pool: '.join(pools)}`"


@pytest.mark.parametrize(
    ("name", "grid"), [("test_vit", 10), ("test_vit3", 10), ("test_resnet", 5), ("test_convnext", 5)]
)
def test_all_patches_are_tokens_and_their_mean_is_avg(name: str, grid: int) -> None:
    """Against timm's own `forward_intermediates`, whose last map has the cells in rows and columns."""
    of_pool = {}
    frames = torch.randint(0, 256, (1, 2, 3, 3, 160, 160), dtype=torch.uint8)
    mask = torch.tensor([[[True, False, True], [False, True, False]]])
    for pool in ("patches", "avg"):
        config = TimmConfig.model_validate({"name": name, "weights": "random", "pool": pool, "cache": False})
        of_pool[pool] = config.build((3, 160, 160), 2, 3)
    encoder = of_pool["patches"]
    out = encoder(frames, mask, None)
    assert (encoder.places, encoder.frames) == (grid**2, 3 * grid**2)
    assert out.shape == (1, 2, 3 * grid**2, encoder.width)
    tokens = out.unflatten(2, (3, grid**2))
    assert (tokens[~mask] == 0).all()
    assert torch.equal(encoder.token_mask(mask), mask.repeat_interleave(grid**2, dim=2))
    model: Any = encoder.backbone.model
    (expected,) = model.forward_intermediates(
        encoder.pixels.prepare(frames[mask]), indices=1, intermediates_only=True, norm=True
    )
    torch.testing.assert_close(tokens[mask], expected.flatten(2).transpose(1, 2), atol=1e-4, rtol=1e-4)
    if name == "test_vit":  # convnets have a norm after the mean, and test_vit3 pools its register too
        torch.testing.assert_close(tokens[mask].mean(1), of_pool["avg"](frames, mask, None)[mask], atol=1e-4, rtol=1e-4)


def test_a_model_without_patch_tokens_says_so() -> None:
    with torch.device("meta"), pytest.raises(AblateError, match="`pit_ti_224` gives no patch tokens"):
        TimmConfig(name="pit_ti_224", weights="random", pool="patches").build((3, 64, 64), 1, 2)


def test_a_checkpoint_with_a_class_token_can_be_pooled_by_the_mean(tmp_path: Path) -> None:
    """It lacked `fc_norm`, which timm puts after the mean of a model that is trained so; these were trained without."""
    model, state = source()
    torch.save(state, tmp_path / "weights.pt")
    frames = torch.randint(0, 256, (1, 1, 1, 3, 160, 160), dtype=torch.uint8)
    config = TimmConfig(name=TINY, weights=str(tmp_path / "weights.pt"), pool="avg", cache=False)
    encoder = config.build((3, 160, 160), 1, 1)
    expected = model.forward_features(encoder.pixels.prepare(frames[0, 0]))[:, 1:].mean(1)  # type: ignore[operator]
    torch.testing.assert_close(encoder(frames, torch.ones(1, 1, 1, dtype=torch.bool), None)[0, 0], expected)


def test_pictures_of_another_size_have_their_position_table_resized(tmp_path: Path) -> None:
    _, state = source()
    torch.save(state, tmp_path / "weights.pt")
    config = TimmConfig(name=TINY, weights=str(tmp_path / "weights.pt"), pool="patches", image_size=64, cache=False)
    encoder = config.build((3, 64, 64), 1, 1)
    assert (encoder.pixels.size, encoder.places) == ((64, 64), 16)
    own = timm.layers.resample_abs_pos_embed(state["pos_embed"], (4, 4), num_prefix_tokens=1)
    torch.testing.assert_close(encoder.backbone.state_dict()["model.pos_embed"], own)
    with pytest.raises(AblateError, match="`test_resnet` cannot be made for pictures of another size"):
        TimmConfig(name="test_resnet", weights="random", pool="avg", image_size=64).build((3, 64, 64), 1, 1)


def test_a_small_resnet_encodes_frames_of_another_size() -> None:
    encoder = TimmConfig(name="test_resnet", weights="random", pool="avg", cache=False).build((3, 32, 48), 1, 2)
    frames, mask = torch.randint(0, 256, (1, 1, 2, 3, 32, 48), dtype=torch.uint8), torch.ones(1, 1, 2, dtype=torch.bool)
    assert torch.isfinite(encoder(frames, mask, None)).all()


def test_a_rewritten_checkpoint_is_another_configuration(tmp_path: Path) -> None:
    """Only its path was in a run's key: other weights under the same name were taken for the same run."""
    _, state = source()
    torch.save(state, tmp_path / "weights.pt")
    first = TimmConfig(name=TINY, weights=str(tmp_path / "weights.pt"))
    torch.save({name: tensor + 1 for name, tensor in state.items()}, tmp_path / "weights.pt")
    assert TimmConfig(name=TINY, weights=str(tmp_path / "weights.pt")) != first
    with pytest.raises(AblateError, match="is not what it was when the recipe was read"):
        first.build((3, 160, 160), 1, 1)
    assert TimmConfig(name=TINY, weights="random").content == TimmConfig(name=TINY).content == ""
