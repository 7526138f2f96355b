"""CLIP's ViT-B/16 from a local checkpoint: a full-size clip on the CPU, and a warm cache for the next variant."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from ablate.contract import FusionBatch, FusionSpec, Target
from ablate.model.fusion.model import FusionConfig
from ablate.model.video.timm_vit import CLIP_B16

pytestmark = pytest.mark.slow
SPEC = FusionSpec(("a",), 5, 8, (3, 224, 224), 8, 500, 2, (0.5, 0.5), "interval")


def test_a_full_size_clip_from_a_local_checkpoint_and_no_encoder_time_for_the_second_variant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    save_file(timm.create_model(CLIP_B16, num_classes=0).state_dict(), tmp_path / "clip.safetensors")
    mask = torch.rand(1, 5, 8, generator=torch.Generator().manual_seed(0)) < 0.7
    labels = torch.zeros(1, 5, dtype=torch.long)
    frames = torch.randint(0, 256, (1, 5, 8, 3, 224, 224), dtype=torch.uint8)
    batch = FusionBatch(torch.randn(1, 8, 500), frames, mask, (Target(0, labels, labels == 0),))
    encoded = []
    for mixer in ("gru", "mamba"):
        video = {"type": "timm", "weights": str(tmp_path / "clip.safetensors")}
        model = FusionConfig.model_validate({"video": video, "mixer": {"type": mixer}}).build(SPEC)
        out = model(batch)[0]
        assert out.shape == (1, 5, 2)
        assert torch.isfinite(out).all()
        out.sum().backward()
        encoded.append(model.media.video.images_encoded)
    assert encoded == [int(mask.sum()), 0]
