"""The whole fusion model: padding, absent intervals, isolation, and what a patch can replace."""

from pathlib import Path

import pytest
import torch
from pydantic import TypeAdapter

from ablate.contract import EncodingSpec, FusionBatch, FusionSpec, Target
from ablate.errors import AblateError
from ablate.model import ModelConfig
from ablate.model.cost import describe, parts_of
from ablate.model.fusion.isolation import isolation, tell
from ablate.model.fusion.isolation import notes as media_notes
from ablate.model.fusion.media import MediaStack
from ablate.model.fusion.model import FusionConfig, FusionModel
from ablate.model.video.features import Features

MIXERS = ["none", "gru", "tcn", "s4d", "mamba", "transformer"]


def spec(labels_per: str = "interval") -> FusionSpec:
    return FusionSpec(("a", "b"), 3, 6, (5,), 4, 48, 2, (0.25, 0.75), labels_per)  # type: ignore[arg-type]


def batch(labels_per: str = "interval") -> FusionBatch:
    """Four trials of two subjects, NaN in scattered pads; trial 1 lacks an interval and trial 3 all video."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.rand(4, 3, 6, generator=generator) < 0.7
    mask[1, 1] = False
    mask[3] = False
    frames = torch.randn(4, 3, 6, 5, generator=generator).masked_fill(~mask[..., None], torch.nan)
    n = 3 if labels_per == "interval" else 1
    targets = tuple(
        Target(s, torch.randint(0, 2, (rows, n), generator=generator), torch.ones(rows, n, dtype=torch.bool))
        for s, rows in ((0, 1), (1, 3))
    )
    return FusionBatch(torch.randn(4, 4, 48, generator=generator), frames, mask, targets)


def build(labels_per: str = "interval", **options: object) -> FusionModel:
    torch.manual_seed(0)
    options = {"embedding_dim": 8, "fusion": {"type": "gated_cross_attention", "gate_init": 0.5}, **options}
    return FusionConfig.model_validate(options).build(spec(labels_per))


@pytest.mark.parametrize("kind", MIXERS)
@pytest.mark.parametrize("compressor", ["mean", "pma", "resampler"])
@pytest.mark.parametrize("scope", ["interval", "clip"])
@pytest.mark.parametrize("direction", ["forward", "both"])
@pytest.mark.parametrize("fusion", ["late", "concat", "cross_attention", "gated_cross_attention"])
def test_nothing_in_a_pad_reaches_the_output_or_a_gradient(
    kind: str, compressor: str, scope: str, direction: str, fusion: str
) -> None:
    mixer = {"type": kind} if kind == "none" else {"type": kind, "scope": scope, "direction": direction}
    gates = {"gate_init": 0.5} if fusion == "gated_cross_attention" else {}
    model = build(mixer=mixer, compressor={"type": compressor}, fusion={"type": fusion, **gates})
    given = batch()
    out = torch.cat(model(given))
    loud = FusionBatch(given.eeg, given.frames.nan_to_num(nan=1e6), given.frame_mask, given.targets)
    assert torch.isfinite(out).all()
    assert torch.equal(out, torch.cat(model(loud)))
    out[..., 0].sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_one_prediction_for_each_subject_normalised() -> None:
    for labels_per, n in (("interval", 3), ("trial", 1)):
        first, second = build(labels_per)(batch(labels_per))
        assert first.shape == (1, n, 2)
        assert second.shape == (3, n, 2)
        torch.testing.assert_close(second.exp().sum(-1), torch.ones(3, n))


def test_a_trial_scores_the_same_whatever_trials_are_beside_it() -> None:
    model, given = build().eval(), batch()
    alone = FusionBatch(given.eeg[:1], given.frames[:1], given.frame_mask[:1], given.targets[:1])
    torch.testing.assert_close(model(alone)[0], model(given)[0], atol=1e-6, rtol=1e-5)


def test_without_video_the_model_says_what_the_eeg_alone_says() -> None:
    model, given = build().eval(), batch()
    tokens = model.eeg(given.eeg)[3:]
    torch.testing.assert_close(model(given)[1][2:], model.head(tokens))


def test_eeg_alone_builds_no_video_parts_and_video_alone_reads_no_eeg() -> None:
    alone = build(fusion={"type": "none"})
    assert list(alone.parts()) == ["eeg", "fusion", "head"]
    assert torch.isfinite(torch.cat(alone(batch()))).all()
    video, given = build(eeg={"type": "none"}), batch()
    other = FusionBatch(torch.randn_like(given.eeg), given.frames, given.frame_mask, given.targets)
    assert torch.equal(torch.cat(video(given)), torch.cat(video(other)))


def test_parts_hold_every_parameter_once() -> None:
    model = build()
    parts = parts_of(model)
    assert list(parts) == ["video", "projection", "mixer", "compressor", "eeg", "fusion", "head"]
    counted = sum(p.numel() for modules in parts.values() for module in modules for p in module.parameters())
    assert counted == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("kind", MIXERS)
def test_costs_are_counted_on_shapes_alone(kind: str) -> None:
    config = FusionConfig.model_validate({"embedding_dim": 8, "mixer": {"type": kind}})
    cost = describe(config, spec())
    assert cost.shapes["video"] == (3, 6, 5)
    assert cost.shapes["mixer"] == (3, 6, 8)
    assert cost.shapes["compressor"] == (3, 4, 8)
    assert cost.shapes["fusion"] == (3, 8)
    assert cost.flops["compressor"] > 0
    assert cost.total_parameters == sum(p.numel() for p in config.build(spec()).parameters())
    assert cost.notes == {"isolation (latents x frames)": "#.. .#. ..#, other intervals at most 0"}
    assert cost.lints == ()


def test_a_frozen_encoder_counts_apart_and_costs_nothing_once_cached() -> None:
    pixels = FusionSpec(("a",), 5, 8, (3, 224, 224), 4, 80, 2, (0.5, 0.5), "interval")
    cost = describe(FusionConfig.model_validate({"video": {"type": "timm", "weights": "random"}}), pixels)
    assert cost.shapes["video"] == (5, 8, 768)
    assert 85e6 < cost.parts["video"] < 87e6
    assert cost.total_parameters - cost.trainable_parameters == cost.parts["video"]
    assert cost.flops["video"] / 40 == pytest.approx(35e9, rel=0.02)
    assert cost.notes["video"] == "frozen: no FLOPs once its features are cached"


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_each_patch_of_a_frame_is_mixed_over_time_by_itself_and_compressed_with_the_others(kind: str) -> None:
    places, config = 3, FusionConfig.model_validate({"embedding_dim": 8, "mixer": {"type": kind}})
    torch.manual_seed(0)
    media = MediaStack(config, spec(), video=Features(5, 6 * places, places)).eval()
    tokens = torch.randn(2, 3, 6, places, 5)
    mask = torch.rand(2, 3, 6, generator=torch.Generator().manual_seed(1)) < 0.7
    whole = mask.repeat_interleave(places, dim=2)
    latents, present = media.from_tokens(tokens.flatten(2, 3), whole)
    each = [media.mixer(media.projection(tokens[:, :, :, place]), mask) for place in range(places)]
    torch.testing.assert_close(latents, media.compressor(torch.stack(each, dim=3).flatten(2, 3), whole))
    assert torch.equal(present, mask.any(2))


def test_patches_are_counted_with_the_rest_and_told() -> None:
    pixels = FusionSpec(("a",), 2, 4, (3, 160, 160), 4, 80, 2, (0.5, 0.5), "interval")
    video = {"type": "timm", "name": "test_vit", "weights": "random", "pool": "patches"}
    cost = describe(FusionConfig.model_validate({"embedding_dim": 8, "video": video}), pixels)
    assert cost.shapes["video"] == (2, 400, 64)
    assert cost.shapes["mixer"] == (2, 4, 8)
    assert cost.notes["tokens"] == "100 patches a frame, 400 tokens an interval, 0.013 MB a frame in the cache"
    assert cost.notes["isolation (latents x frames)"] == "#. .#, other intervals at most 0"


def test_a_table_says_the_same_of_a_leaking_video_side_each_time() -> None:
    """Its weights were drawn from whatever random numbers came next: .19 in one `ablate params`, .35 in another."""
    config = FusionConfig.model_validate({"embedding_dim": 8, "mixer": {"type": "transformer", "scope": "clip"}})
    told = [media_notes(config, spec(), config.build(spec()).media) for _ in range(2)]
    assert told[0] == told[1]
    assert not told[0]["isolation (latents x frames)"].endswith("at most 0")


def test_the_untrained_head_starts_near_the_class_prior() -> None:
    out = torch.cat(build()(batch())).exp()
    assert (out[..., 1] - 0.75).abs().max() < 0.25
    assert float(build().penalty()) == 0


@pytest.mark.parametrize(
    ("mixer", "expected"),
    [
        ({"type": "gru"}, "#.. .#. ..#"),
        ({"type": "gru", "direction": "both"}, "#.. .#. ..#"),
        ({"type": "mamba", "scope": "clip"}, "#.. ##. ###"),
        ({"type": "tcn", "scope": "clip", "blocks": 4}, "#.. ##. ###"),
        ({"type": "transformer", "scope": "clip", "direction": "both"}, "### ### ###"),
    ],
)
def test_isolation_matrix_shows_which_frames_each_latent_knows(mixer: dict[str, object], expected: str) -> None:
    matrix = isolation(build(mixer=mixer).media, spec())
    assert matrix is not None
    assert tell(matrix) == expected
    torch.testing.assert_close(matrix.amax(dim=1), torch.ones(3))


def test_isolation_of_a_model_without_video_is_nothing() -> None:
    assert isolation(build(fusion={"type": "none"}).media, spec()) is None
    assert build(fusion={"type": "none"}).measures() == {}


def test_the_leak_is_measured_of_a_model_as_it_is_and_leaves_it_so() -> None:
    assert build(mixer={"type": "gru", "scope": "interval"}).measures() == {"leak": 0.0}
    mixing = build(mixer={"type": "gru", "scope": "clip"}).train()
    before = {name: value.clone() for name, value in mixing.state_dict().items()}
    assert 0 < mixing.measures()["leak"] <= 1
    assert mixing.training
    assert all(parameter.grad is None for parameter in mixing.parameters())
    assert all(torch.equal(value, before[name]) for name, value in mixing.state_dict().items())


def test_spikes_are_refused_with_a_hint() -> None:
    with pytest.raises(AblateError, match="needs EEG and video, but the data has spikes"):
        FusionConfig().build(EncodingSpec((), 16, 8, 0))


def test_pixels_are_refused_by_features() -> None:
    pixels = FusionSpec(("a",), 3, 6, (3, 8, 8), 4, 48, 2, (0.5, 0.5), "interval")
    with pytest.raises(AblateError, match="the data hold pixels"):
        FusionConfig().build(pixels)


def test_fusion_is_one_of_the_models() -> None:
    assert isinstance(TypeAdapter(ModelConfig).validate_python({"type": "fusion"}), FusionConfig)


@pytest.mark.parametrize("kind", MIXERS)
def test_a_fusion_model_runs_under_autocast(kind: str) -> None:
    model = build(mixer={"type": kind}, compressor={"type": "resampler"})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = torch.cat(model(batch()))
    out.float().sum().backward()
    assert torch.isfinite(out).all()


OWN = """
import torch
from torch import nn

from ablate.contract import Compressor, EegEncoder

class Eeg(EegEncoder):
    def __init__(self, channels, samples, intervals, width, scale):
        super().__init__()
        self.intervals, self.map = intervals, nn.Linear(channels * samples // intervals, width)
        self.scale = scale

    def forward(self, eeg):
        b, c, t = eeg.shape
        return self.scale * self.map(eeg.reshape(b, c, self.intervals, -1).transpose(1, 2).flatten(2))

class Middle(Compressor):
    latents = 1

    def __init__(self, width, frames):
        super().__init__()

    def forward(self, tokens, mask):
        return tokens[:, :, :1].masked_fill(~mask.any(2)[..., None, None], 0.0)

class Mute(Middle):
    latents = property()
"""


def test_a_users_own_parts_stand_in_for_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_fusion_parts.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    eeg = {"type": "import", "target": "my_fusion_parts:Eeg", "params": {"scale": 2.0}}
    model = build(eeg=eeg, compressor={"type": "import", "target": "my_fusion_parts:Middle"})
    assert torch.isfinite(torch.cat(model(batch()))).all()
    assert type(model.eeg).__name__ == "Eeg"
    with pytest.raises(AblateError, match="`Mute` has no attribute `latents`"):
        build(compressor={"type": "import", "target": "my_fusion_parts:Mute"})
