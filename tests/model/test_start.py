"""Parts that start from a trained model: the values of the file, frozen or not, refused where they do not fit."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import save_file, save_model
from test_encoder import batch_of, spec_of

from ablate.contract import FusionSpec
from ablate.errors import AblateError
from ablate.model import EncoderConfig, ModelConfig
from ablate.model.cost import describe
from ablate.model.encoder import Encoder
from ablate.model.fusion.model import FusionConfig, FusionModel
from ablate.model.start import StartConfig
from ablate.training.optimization.optimizer import parameter_groups

SPEC = spec_of((12, 12))


def config(init: dict[str, Any] | None = None, **core: Any) -> EncoderConfig:
    parts = {"core": {"type": "frame_vit", "patch_size": 4, "embedding_dim": 8, "num_heads": 2, **core}}
    given = {"adapter": {"type": "none"}, "modulator": {"type": "none"}, "frontend": {"type": "none"}, **parts}
    return EncoderConfig.model_validate(given | ({} if init is None else {"init": init}))


def trained(folder: Path, **core: Any) -> Encoder:
    """A run's folder, and the model whose weights it holds."""
    torch.manual_seed(7)
    model = config(**core).build(SPEC)
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, str(folder / "weights.safetensors"))
    return model


def built(init: dict[str, Any], **core: Any) -> Encoder:
    torch.manual_seed(1)
    model = config(init, **core).build(SPEC)
    model.begin()
    return model


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    theirs = second.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in first.state_dict().items())


@pytest.mark.parametrize("place", ["run", "run/weights.safetensors"])
def test_a_part_starts_from_the_weights_of_a_run_and_the_others_from_their_draw(tmp_path: Path, place: str) -> None:
    source = trained(tmp_path / "run")
    model = built({"path": str(tmp_path / place), "parts": ["core"]})
    torch.manual_seed(1)
    drawn = config().build(SPEC)
    assert same(model.core, source.core)
    assert same(model.readouts, drawn.readouts)
    assert not same(drawn.core, source.core)
    assert all(parameter.requires_grad for parameter in model.core.parameters())


def test_a_frozen_core_takes_no_step_and_stays_in_evaluation_mode(tmp_path: Path) -> None:
    source = trained(tmp_path / "run")
    model = built({"path": str(tmp_path / "run"), "parts": ["core"], "frozen": True})
    torch.nn.Sequential(model).train()
    assert not any(module.training for module in model.core.modules())
    assert all(module.training for module in model.readouts.modules())
    optimizer = torch.optim.SGD(parameter_groups(model, 0.1), lr=0.1)
    sum(rate.square().sum() for rate in model(batch_of(SPEC, behavior=False))).backward()
    before = copy.deepcopy(model.readouts)
    optimizer.step()
    assert same(model.core, source.core)
    assert not same(model.readouts, before)
    assert not any(module.training for module in copy.deepcopy(model).train().core.modules())


def test_frozen_weights_are_counted_and_where_they_come_from_is_told(tmp_path: Path) -> None:
    trained(tmp_path / "run")
    start = {"path": str(tmp_path / "run"), "parts": ["core"], "frozen": True}
    cost = describe(config(start), SPEC)
    core = sum(p.numel() for p in config().build(SPEC).core.parameters())
    assert cost.total_parameters - cost.trainable_parameters == core
    assert sum(cost.frozen.values()) == core
    content = StartConfig.model_validate(start).content
    assert cost.notes["init"] == f"core from {tmp_path.name}/run ({content[:8]}), frozen"


def test_weights_are_named_by_their_content_and_another_file_is_refused(tmp_path: Path) -> None:
    trained(tmp_path / "run")
    start = {"path": str(tmp_path / "run"), "parts": ["core"]}
    first = config(start)
    torch.manual_seed(8)
    save_model(config().build(SPEC), str(tmp_path / "run" / "weights.safetensors"))
    again = config(start)
    assert first.init is not None
    assert again.init is not None
    assert first.init.content != again.init.content
    with pytest.raises(AblateError, match="is not what it was when the recipe was read"):
        first.build(SPEC).begin()
    again.build(SPEC).begin()


def test_a_model_that_was_trained_is_built_again_when_the_file_is_gone(tmp_path: Path) -> None:
    """Its own weights take the place of those that it started from."""
    trained(tmp_path / "run")
    kept = config({"path": str(tmp_path / "run"), "parts": ["core"]}).model_dump(mode="json")
    (tmp_path / "run" / "weights.safetensors").unlink()
    model = TypeAdapter(ModelConfig).validate_python(kept).build(SPEC)
    with pytest.raises(AblateError, match=r"run holds no weights\.safetensors"):
        model.begin()


def refused(init: dict[str, Any], **core: Any) -> str:
    with pytest.raises(AblateError) as raised, torch.device("meta"):  # before anything is trained
        config(init, **core).build(SPEC)
    (problem,) = raised.value.problems
    return f"{problem.what} | {problem.hint}"


def test_tensors_that_do_not_fit_are_named(tmp_path: Path) -> None:
    trained(tmp_path / "run")
    start = {"path": str(tmp_path / "run"), "parts": ["core"]}
    told = refused(start, embedding_dim=16)
    assert "does not fit `core`: it has in another shape " in told
    assert "instead of" in told
    assert len(told) < 600
    assert "it lacks " in refused(start, num_spatial_blocks=5)


def test_parts_that_are_not_there_are_named(tmp_path: Path) -> None:
    trained(tmp_path / "run")
    path = str(tmp_path / "run")
    assert "the model has no part `cortex`" in refused({"path": path, "parts": ["cortex"]})
    told = refused({"path": path, "parts": ["readout"]})
    assert "every session has a `readout` of its own" in told
    save_file({"eeg.weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    assert "it holds no `core`, only eeg" in refused({"path": str(tmp_path / "other.safetensors"), "parts": ["core"]})


@pytest.mark.parametrize("content", [b"", b"no weights at all"])
def test_a_file_that_holds_no_tensors_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "weights.safetensors").write_bytes(content)
    assert "cannot be read" in refused({"path": str(tmp_path), "parts": ["core"]})


def test_a_path_that_leads_nowhere_is_refused_when_the_recipe_is_read(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="there is no file or folder"):
        config({"path": str(tmp_path / "none"), "parts": ["core"]})


def test_the_eeg_of_a_fusion_model_starts_from_another_ones(tmp_path: Path) -> None:
    spec = FusionSpec(("a",), 3, 6, (5,), 4, 48, 2, (0.5, 0.5), "interval")
    torch.manual_seed(3)
    source = FusionConfig(embedding_dim=8).build(spec)
    save_model(source, str(tmp_path / "weights.safetensors"))
    start = {"path": str(tmp_path), "parts": ["eeg", "compressor"], "frozen": True}
    model = FusionConfig.model_validate({"embedding_dim": 8, "init": start}).build(spec)
    model.begin()
    assert same(model.eeg, source.eeg)
    assert same(model.media.flow()["compressor"], source.media.flow()["compressor"])
    assert not same(model.media.flow()["mixer"], source.media.flow()["mixer"])


PIXELS = FusionSpec(("a",), 3, 4, (3, 8, 8), 4, 48, 2, (0.5, 0.5), "interval")


def films(init: dict[str, Any] | None = None, seed: int = 1, **video: Any) -> FusionModel:
    """A fusion model whose frames go through a small ViT; its weights are drawn from the seed, or come from `init`."""
    torch.manual_seed(seed)
    seen = {"type": "small_vit", "width": 8, "depth": 1, "heads": 2, **video}
    given = {"embedding_dim": 8, "video": seen} | ({} if init is None else {"init": init})
    model = FusionConfig.model_validate(given).build(PIXELS)
    model.begin()
    return model


def shown() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Frames of two trials, which of them are there, and what names each."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (2, 3, 4, 3, 8, 8), generator=generator, dtype=torch.uint8)
    keys = torch.randint(0, 2**62, (2, 3, 4, 2), generator=generator)
    return frames, torch.arange(4).expand(2, 3, 4) < 3, keys


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Two trained models' video encoders to start from, frozen, with a feature cache of the test's own."""
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    starts = []
    for seed in (7, 8):
        folder = tmp_path / str(seed)
        folder.mkdir()
        save_model(films(seed=seed), str(folder / "weights.safetensors"))
        starts.append({"path": str(folder), "parts": ["video"], "frozen": True})
    return starts


def test_a_frozen_encoder_that_starts_from_a_checkpoint_runs_once_on_a_frame(sources: list[dict[str, Any]]) -> None:
    """Born of a gap: it was frozen, and encoded every frame in every epoch."""
    (frames, mask, keys), model = shown(), films(sources[0])
    first, video = model.media.video(frames, mask, keys), model.media.video
    assert video.images_encoded == int(mask.sum())
    kept = video.remembered(mask, keys)  # what an epoch asks before it reads any frame
    assert kept is not None
    assert torch.equal(kept, first)
    again = films(sources[0], seed=5)  # another variant or seed
    assert torch.equal(again.media.video.remembered(mask, keys), first)
    assert [video.images_encoded, again.media.video.images_encoded] == [int(mask.sum()), 0]
    trained = films(seed=7).media.video  # the very weights, not kept
    torch.testing.assert_close(first, trained(frames, mask, keys), atol=2e-3, rtol=2e-3)  # kept as float16
    assert "no FLOPs once its features are cached" in model.cost_notes()["video"]


def test_features_belong_to_the_weights_that_they_were_made_with(sources: list[dict[str, Any]]) -> None:
    frames, mask, keys = shown()
    one, two = (films(start).media.video for start in sources)
    assert one.cache().folder != two.cache().folder
    first = one(frames, mask, keys)
    assert two.remembered(mask, keys) is None
    early = FusionConfig.model_validate(films(sources[0]).config.model_dump()).build(PIXELS)
    drawn = early.media.video.cache().folder  # asked before the checkpoint's weights were put in
    early.begin()
    assert early.media.video.cache().folder == one.cache().folder != drawn
    one.backbone.load_state_dict(two.backbone.state_dict())  # as when a run's weights are put into its model
    assert one.cache().folder == two.cache().folder
    assert not torch.allclose(one(frames, mask, keys), first, atol=1e-2)


def test_what_is_not_to_be_kept_or_is_trained_on_is_not(sources: list[dict[str, Any]]) -> None:
    (frames, mask, keys), told = shown(), films(sources[0], cache=False)
    trained = films({**sources[0], "frozen": False}).media.video
    for video in (told.media.video, trained):
        video(frames, mask, keys)
        assert video.remembered(mask, keys) is None
    assert "features are not kept" in told.cost_notes()["video"]
    assert trained(frames, mask, keys).requires_grad
