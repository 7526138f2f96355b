"""VideoMAE and ViViT of transformers, small and at random: loaded from a folder, equal to their own forward pass."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ablate.errors import AblateError
from ablate.model.video.hf_video import HfVideo, HfVideoConfig, evenly, pixels_of

SMALL = {"image_size": 32, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
TUBELET = {"videomae": {"patch_size": 16, "tubelet_size": 2, "num_frames": 16}, "vivit": {"tubelet_size": [2, 16, 16]}}


def test_frames_are_taken_evenly_from_those_that_are_there() -> None:
    there = torch.tensor([[True, True, True, True, True, True], [False, True, False, True, False, False]])
    assert evenly(there, 3).tolist() == [[0, 2, 5], [1, 1, 3]]
    assert evenly(there, 6).tolist() == [[0, 1, 2, 3, 4, 5], [1, 1, 1, 3, 3, 3]]


def test_pixels_are_prepared_as_the_folder_says(tmp_path: Path) -> None:
    told = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "offset": True, "rescale_factor": 1 / 127.5}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**told, "size": {"shortest_edge": 40}}))
    pixels = pixels_of(str(tmp_path), "vivit", 32)
    grey = torch.full((1, 3, 40, 60), 200, dtype=torch.uint8)
    expected = torch.full((1, 3, 32, 32), (200 / 127.5 - 1 - 0.5) / 0.25)
    torch.testing.assert_close(pixels.prepare(grey), expected, atol=1e-4, rtol=1e-4)


def saved(folder: Path, kind: str) -> Any:
    transformers = pytest.importorskip("transformers", reason="needs the extra [hf]")
    config = transformers.AutoConfig.for_model(kind, **SMALL, **TUBELET[kind])
    torch.manual_seed(0)
    model = transformers.AutoModel.from_config(config).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["videomae", "vivit"])
def test_tokens_are_the_means_over_places_of_the_models_own_output(tmp_path: Path, kind: str) -> None:
    model = saved(tmp_path, kind)
    encoder = HfVideoConfig(path=str(tmp_path)).build((3, 32, 32), 2, model.config.num_frames)
    frames = torch.randint(0, 256, (1, 2, model.config.num_frames, 3, 32, 32), dtype=torch.uint8)
    mask = torch.ones(frames.shape[:3], dtype=torch.bool)
    mask[0, 1] = False
    out = encoder(frames.float().masked_fill(~mask[..., None, None, None], torch.nan), mask, None)
    given = encoder.pixels.prepare(frames[0, 0])[None]
    with torch.no_grad():
        hidden = model(given).last_hidden_state[0]
    tokens = hidden[1:] if kind == "vivit" else hidden
    steps = model.config.num_frames // 2
    torch.testing.assert_close(out[0, 0], tokens.reshape(steps, 4, 16).mean(1), atol=1e-5, rtol=1e-5)
    assert (out[0, 1] == 0).all()
    assert torch.equal(encoder.token_mask(mask), torch.tensor([[[True] * steps, [False] * steps]]))
    with torch.device("meta"):
        shapes = HfVideoConfig(path=str(tmp_path)).build((3, 32, 32), 2, 4)
        empty = torch.zeros(1, 2, 4, 3, 32, 32), torch.ones(1, 2, 4, dtype=torch.bool)
        assert shapes(*empty, None).shape == (1, 2, steps, 16)


def test_frozen_stays_frozen_and_trained_gets_gradient(tmp_path: Path) -> None:
    saved(tmp_path, "videomae")
    frames, mask = torch.randint(0, 256, (1, 1, 5, 3, 48, 64), dtype=torch.uint8), torch.ones(1, 1, 5, dtype=torch.bool)
    kept = HfVideoConfig(path=str(tmp_path)).build((3, 48, 64), 1, 5)
    torch.nn.Sequential(kept).train()
    assert not any(module.training for module in kept.model.modules())
    assert not kept(frames, mask, None).requires_grad
    told = (
        "scaled to 32 x 42, the middle 32 x 32 of it; the model takes 16 an interval, evenly from those that are there"
    )
    assert kept.cost_notes()["frames"] == f"{told} (of at most 5)"
    trained: HfVideo = HfVideoConfig(path=str(tmp_path), frozen=False).build((3, 48, 64), 1, 5)
    trained(frames, mask, None).square().sum().backward()
    assert any(parameter.grad is not None for parameter in trained.parameters())


def test_what_is_no_such_model_is_refused(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra [hf]")
    with pytest.raises(AblateError, match="there is no model at"):
        HfVideoConfig(path=str(tmp_path / "none")).build((3, 32, 32), 1, 2)
    transformers.ViTConfig().save_pretrained(tmp_path)
    with pytest.raises(AblateError, match="is a vit"):
        HfVideoConfig(path=str(tmp_path)).build((3, 32, 32), 1, 2)


def test_whatever_is_read_of_a_folder_names_the_run_and_what_is_not_does_not(tmp_path: Path) -> None:
    """Of the weights in one file alone there was a hash: other means of the pixels, or other weights in pieces, were
    the same run."""

    def content() -> str:
        return HfVideoConfig(path=str(tmp_path)).content

    assert content() == ""
    read = ("config.json", "preprocessor_config.json", "model.safetensors", "model-00001-of-00002.safetensors")
    for name in (*read, "model.safetensors.index.json", "pytorch_model.bin"):
        for text in ("1", "2"):
            before = content()
            (tmp_path / name).write_text(text)
            assert content() != before
    before = content()
    (tmp_path / "README.md").write_text("a model")
    assert content() == before


def test_a_folder_that_changed_since_the_recipe_was_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text("{}")
    config = HfVideoConfig(path=str(tmp_path))
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0]}')
    with pytest.raises(AblateError, match="is not what it was when the recipe was read"):
        config.build((3, 32, 32), 1, 2)
