"""Encoders of single frames: only valid frames, the model's own pixels, frozen means frozen, and the cache."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from ablate.errors import AblateError
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.model.video.pixels import Pixels
from ablate.model.video.small_vit import SmallVitConfig
from ablate.model.video.timm_vit import TimmConfig

TINY = "test_vit.r160_in1k"


@pytest.fixture(autouse=True)
def cache_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    return tmp_path


def clip(size: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.rand(2, 3, 4, generator=generator) < 0.6
    mask[1, 2] = False
    return torch.randint(0, 256, (2, 3, 4, 3, size, size), generator=generator, dtype=torch.uint8), mask


def small(**options: object) -> FrameEncoder:
    torch.manual_seed(0)
    return SmallVitConfig.model_validate({"weights_seed": 3, **options}).build((3, 16, 16), 3, 4)


def state_bytes(module: torch.nn.Module) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in module.state_dict().values())


@pytest.mark.parametrize("pool", ["token", "avg"])
@pytest.mark.parametrize("frozen", [False, True])
def test_only_valid_frames_are_computed_and_pads_are_zero(pool: str, frozen: bool) -> None:
    encoder = small(pool=pool, frozen=frozen)
    frames, mask = clip()
    poisoned = frames.float()
    poisoned[~mask] = torch.nan
    out = encoder(frames, mask, None)
    assert (out[~mask] == 0).all()
    assert encoder.images_encoded == int(mask.sum())
    place = tuple(mask.nonzero()[3].tolist())
    one = encoder.backbone(encoder.pixels.prepare(frames[place][None]))
    torch.testing.assert_close(out[place], one[0], atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(encoder(poisoned, mask, None), out, atol=1e-5, rtol=1e-5)


def test_a_clip_without_any_frame_gives_zeros() -> None:
    frames, mask = clip()
    assert (small()(frames, torch.zeros_like(mask), None) == 0).all()


def test_the_seed_of_the_weights_is_its_own() -> None:
    torch.manual_seed(1)
    first = SmallVitConfig(weights_seed=3).build((3, 16, 16), 3, 4)
    torch.manual_seed(2)
    second = SmallVitConfig(weights_seed=3).build((3, 16, 16), 3, 4)
    assert state_bytes(first) == state_bytes(second)
    assert state_bytes(first) != state_bytes(SmallVitConfig(weights_seed=4).build((3, 16, 16), 3, 4))


def test_frozen_stays_frozen_whatever_its_parent_does() -> None:
    encoder = TimmConfig(name="test_vit", weights="random").build((3, 32, 32), 3, 4)
    for module in encoder.backbone.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    parent = torch.nn.Sequential(torch.nn.Identity(), encoder)
    before = state_bytes(encoder)
    parent.train()
    assert not any(module.training for module in encoder.backbone.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    frames, mask = clip(32)
    out = encoder(frames, mask, None)
    assert not out.requires_grad
    assert not out.is_inference()
    (torch.nn.Linear(encoder.width, 2)(out)).sum().backward()
    assert state_bytes(encoder) == before


def test_a_trained_encoder_gets_gradient() -> None:
    encoder = small(weights_seed=None)
    frames, mask = clip()
    (encoder(frames, mask, None) * torch.randn(encoder.width)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name


def test_pixels_are_normalised_as_the_models_own_configuration_says() -> None:
    tiny = TimmConfig(name=TINY, weights="random").build((3, 160, 160), 1, 1)
    data = timm.data.resolve_model_data_config(tiny.backbone)
    assert tiny.pixels == Pixels((160, 160), tuple(data["mean"]), tuple(data["std"]), "center", 0.95)
    grey = torch.full((1, 3, 160, 160), 128, dtype=torch.uint8)
    expected = (128 / 255 - torch.tensor(data["mean"])) / torch.tensor(data["std"])
    torch.testing.assert_close(tiny.pixels.prepare(grey)[0, :, 5, 7], expected)


def test_frames_of_another_size_are_resized_as_torchvision_would() -> None:
    pixels = Pixels((20, 20), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    ramp = torch.linspace(0, 255, 40).expand(1, 3, 40, 40)
    resized = pixels.prepare(ramp)
    assert resized.shape == (1, 3, 20, 20)
    torch.testing.assert_close(resized[0, 0, 0, 5:15], (ramp[0, 0, 0, 10:30].reshape(-1, 2).mean(1) / 255))


def test_clips_of_clip_have_the_openai_mean_and_quickgelu() -> None:
    with torch.device("meta"):
        encoder = TimmConfig(weights="random").build((3, 224, 224), 5, 8)
    assert encoder.pixels.mean == pytest.approx((0.48145466, 0.4578275, 0.40821073))
    assert encoder.pixels.size == (224, 224)
    assert encoder.width == 768
    assert "QuickGELU" in type(encoder.backbone.blocks[0].mlp.act).__name__
    frames = torch.zeros(1, 5, 8, 3, 224, 224, device="meta")
    assert encoder(frames, torch.ones(1, 5, 8, dtype=torch.bool, device="meta"), None).shape == (1, 5, 8, 768)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_come_from_a_local_file_with_timms_names(tmp_path: Path, suffix: str) -> None:
    model = timm.create_model("test_vit", num_classes=7)
    file = tmp_path / f"weights{suffix}"
    save_file(model.state_dict(), file) if suffix == ".safetensors" else torch.save(model.state_dict(), file)
    encoder = TimmConfig(name="test_vit", weights=str(file), cache=False).build((3, 160, 160), 1, 1)
    frames = torch.randint(0, 256, (1, 1, 1, 3, 160, 160), dtype=torch.uint8)
    expected = model.eval().forward_head(model.forward_features(encoder.pixels.prepare(frames[0, 0])), pre_logits=True)
    mask = torch.ones(1, 1, 1, dtype=torch.bool)
    torch.testing.assert_close(encoder(frames, mask, None)[0, 0], expected.detach())


def test_weights_that_do_not_fit_or_are_missing_are_told(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    save_file({"cls_token": torch.zeros(1, 1, 3)}, file)
    with pytest.raises(AblateError, match="does not fit the model"):
        TimmConfig(name="test_vit", weights=str(file)).build((3, 160, 160), 1, 1)
    with pytest.raises(AblateError, match="there is no file"):
        TimmConfig(name="test_vit", weights=str(tmp_path / "none.pt")).build((3, 160, 160), 1, 1)
    with pytest.raises(AblateError, match="timm cannot make `vit_of_nobody`"):
        TimmConfig(name="vit_of_nobody", weights="random").build((3, 160, 160), 1, 1)


def test_features_are_refused_by_encoders_of_pixels() -> None:
    with pytest.raises(AblateError, match="the data hold features of width 16, not pixels"):
        SmallVitConfig().build((16,), 3, 4)
    with pytest.raises(AblateError, match=r"the data hold arrays of shape \(8, 6, 3\), not pixels"):
        SmallVitConfig().build((8, 6, 3), 3, 4)


def test_a_frozen_encoder_runs_once_on_a_frame_for_all_variants_and_seeds() -> None:
    frames, mask = clip()
    first, second = small(frozen=True), small(frozen=True)
    out = first(frames, mask, None)
    assert first.images_encoded == int(mask.sum())
    assert torch.equal(first(frames, mask, None), out)
    assert torch.equal(second(frames, mask, None), out)
    assert first.images_encoded == int(mask.sum())
    assert second.images_encoded == 0


def test_the_cache_of_other_weights_or_pooling_is_another_one() -> None:
    frames, mask = clip()
    folders = {small(frozen=True, **more).cache().folder for more in ({}, {"pool": "token"}, {"weights_seed": 9})}
    assert len(folders) == 3
    small(frozen=True)(frames, mask, None)


def test_a_frame_that_comes_twice_is_computed_once() -> None:
    frames, mask = clip()
    frames[:] = frames[0, 0, 0]
    encoder = small(frozen=True)
    encoder(frames, mask, None)
    assert encoder.images_encoded == 1


def test_keys_from_the_data_stand_for_the_bytes() -> None:
    frames, mask = clip()
    encoder = small(frozen=True)
    keys = torch.from_numpy(np.random.default_rng(0).integers(0, 2**62, (2, 3, 4, 2)))
    out = encoder(frames, mask, keys)
    assert torch.equal(encoder(torch.zeros_like(frames), mask, keys), out)


def test_kept_features_do_not_tell_in_which_precision_the_first_variant_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever came first wrote bfloat16 features for all others, or by `ablate data features` single ones."""
    frames, mask = clip()
    kept = []
    for first in (torch.float32, torch.bfloat16):
        monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / str(first)))
        with torch.autocast("cpu", torch.bfloat16, enabled=first is torch.bfloat16):
            small(frozen=True)(frames, mask, None)
        kept.append(small(frozen=True)(frames, mask, None))
    assert torch.equal(*kept)
    assert torch.equal(kept[0], small(frozen=True, cache=False)(frames, mask, None).half().float())
