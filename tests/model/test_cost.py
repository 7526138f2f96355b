"""What a model weighs: the reference's table, FLOPs, tokens, lints."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from ablate.config import Config
from ablate.contract import Core, EncodingBatch, EncodingSpec, FeatureMap, Model, SessionSpec
from ablate.errors import AblateError
from ablate.model.cost import describe
from ablate.model.encoder import EncoderConfig
from ablate.model.glm import GlmConfig
from ablate.result.record import ModelCost, Tokens

SPEC = EncodingSpec(
    sessions=(SessionSpec("one", 51, 51, 8, 42, 120.0, (0.1,) * 8),), window=25, score_every=8, warmup=8
)
VALID = {"type": "learnable_temporal", "padding": "valid"}
P1 = {"type": "vivit", "tokenizer": {"kernel_size": (8, 4, 4), "stride": (8, 4, 4)}}
RESNET: dict[str, Any] = {
    "core": {"type": "resnet"},
    "modulator": {"type": "convgru", "hidden_dim": 256, "beh_emb_dim": 32},
}


def cost(spec: EncodingSpec = SPEC, **parts: Any) -> ModelCost:
    return describe(EncoderConfig.model_validate({"type": "encoder", **parts}), spec)


def table(found: ModelCost) -> tuple[list[int], int]:
    return list(found.parts.values()), found.total_parameters


def test_the_parameter_table_of_the_reference_to_the_last_digit() -> None:
    blocks = [2_368_512, 2_368_512, 2_113_264, 1_584]
    assert table(cost()) == ([3, 64, 4_592_000, *blocks], 11_443_939)
    assert table(cost(core=P1)) == ([3, 64, 361_856, *blocks], 7_213_795)
    stages = [39_168, 1_249_680, 926_480]
    assert table(cost(**RESNET)) == ([3, 64, *stages, 3_829_856, 2_096], 6_047_347)


def test_the_parts_stand_in_the_order_of_the_flow() -> None:
    vivit = ["adapter", "frontend", "tokenizer", "spatial_blocks", "temporal_blocks", "modulator", "readout"]
    assert list(cost().parts) == list(cost().flops) == list(cost().shapes) == vivit
    resnet = ["adapter", "frontend", "stage_1", "stage_2", "stage_3", "modulator", "readout"]
    assert list(cost(**RESNET).parts) == resnet
    hybrid = ["adapter", "frontend", "stage_1", "stage_2", "stage_3", "tokens", "temporal_blocks"]
    assert list(cost(core={"type": "hybrid_cnn_transformer"}).parts)[:7] == hybrid


@pytest.mark.parametrize(("parts", "giga"), [({}, 0.83), ({"core": P1}, 2.14)])
def test_flops_are_those_of_the_reference(parts: dict[str, Any], giga: float) -> None:
    spec = replace(SPEC, warmup=24)  # the lab scored the newest bin alone
    assert cost(spec, frontend=VALID, **parts).total_flops / 1e9 == pytest.approx(giga, rel=0.03)


def test_the_resnets_flops_are_those_of_the_reference_at_the_references_map() -> None:
    """The lab's mispadded maps were 25 and 12 cells wide and took 14.1 G; aligned maps of 26 and 13 take more."""
    parts = cost(frontend=VALID, **RESNET, spec=replace(SPEC, warmup=24)).flops
    wide = (parts["stage_1"] + parts["stage_2"]) * (25 / 26) ** 2
    narrow = (parts["stage_3"] + parts["modulator"]) * (12 / 13) ** 2
    assert (wide + narrow + parts["adapter"] + parts["frontend"]) / 1e9 == pytest.approx(14.1, rel=0.08)


def test_attention_is_counted() -> None:
    """The fused kernels count as zero; 36 places, 3 steps, 4 blocks, 4 heads of 48: two products of 36 x 36 x 48."""
    blocks = cost().flops["spatial_blocks"]
    linear = 2 * 3 * 36 * (2_368_512 - 4 * (2 * 192 + 192 + 1536 + 192))  # every weight once a token; not norms, biases
    assert blocks - linear == 4 * 3 * 4 * 2 * (2 * 36 * 36 * 48)


def test_shapes_and_tokens_of_the_notes() -> None:
    spec = replace(SPEC, window=300, warmup=60)
    base, fine = cost(spec), cost(spec, core=P1)
    assert base.tokens == Tokens(time=37, space=(6, 6))
    assert fine.tokens == Tokens(time=37, space=(12, 12))
    assert base.shapes["tokenizer"] == (37, 36, 192)
    assert fine.shapes["modulator"] == (192, 37, 12, 12)
    assert base.pixels_never_seen == pytest.approx(1 - 48**2 / 51**2)
    assert base.receptive_field == {"frames": 8 + 15, "pixels": 8}


def test_thirty_sessions_at_full_size_are_described_in_seconds() -> None:
    sessions = tuple(SessionSpec(str(i), 36, 64, 40, 42, 120.0, (0.1,) * 40) for i in range(30))
    start = time.process_time()
    found = cost(EncodingSpec(sessions, window=300, score_every=8, warmup=60))
    assert time.process_time() - start < 20  # about one second; the limit only catches real allocation
    assert found.parts["adapter"] == 30 * 3
    assert found.parts["readout"] == 30 * 40 * 198


def test_describing_draws_nothing_from_the_callers_random_stream() -> None:
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    cost()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_glm_is_one_part() -> None:
    found = describe(GlmConfig(), SPEC)
    assert list(found.parts) == ["readout"]
    assert found.total_flops > 0
    assert found.tokens is None


def test_frozen_parameters_are_not_trainable() -> None:
    found = cost(adapter={"type": "affine", "learn_blur": False})
    assert found.total_parameters - found.trainable_parameters == 1


@pytest.mark.parametrize(
    ("parts", "spec", "told"),
    [
        ({"frontend": VALID}, replace(SPEC, warmup=24), "temporal_blocks: attention over a single token"),
        ({}, SPEC, "core.spatial_causal: a place sees only places above it"),
        ({}, SPEC, "core.tokenizer: 11 % of the grid's pixels are in no token"),
        ({}, SPEC, "core.tokenizer: the oldest 1 of 25 frames are in no token"),
        ({}, replace(SPEC, warmup=24), "data.window: a window of 25 frames leaves a single scored bin"),
        (
            {"frontend": {"type": "learnable_temporal", "anti_aliasing": True, "window": "hann_dead_ends"}},
            SPEC,
            "the newest and the oldest tap get no gradient",
        ),
        (
            {"frontend": {"type": "learnable_temporal", "window": "hann_periodic"}},
            SPEC,
            "frontend.window: nothing reads it",
        ),
        (
            {
                "frontend": {"type": "none"},
                "core": {"type": "vivit", "tokenizer": {"kernel_size": (1, 1, 1), "stride": (1, 1, 1)}},
            },
            replace(SPEC, window=2, warmup=0, score_every=1),
            "core.tokenizer: a token holds a single number, of which RMSNorm keeps the sign alone",
        ),
        ({"readout": {"type": "gaussian", "bound": "map_pixels"}}, SPEC, "readout.bound: map_pixels"),
        ({"readout": {"type": "gaussian", "std_bound": (1.0, 0.05)}}, SPEC, "readout.std_bound: 0.05 half widths"),
        (
            {"core": {"type": "resnet", "shortcut_alignment": "visioncore"}},
            SPEC,
            "core.shortcut_alignment: visioncore lets every step but the newest see later frames",
        ),
    ],
)
def test_a_lint_names_the_option_and_the_reason(parts: dict[str, Any], spec: EncodingSpec, told: str) -> None:
    assert any(told in lint for lint in cost(spec, **parts).lints)


def test_a_clean_model_has_no_lints() -> None:
    core = {"type": "vivit", "tokenizer": {"kernel_size": (8, 3, 3), "stride": (8, 3, 3)}, "spatial_causal": False}
    assert cost(replace(SPEC, window=24, warmup=8), core=core).lints == ()


def test_a_model_that_does_not_fit_its_data_is_the_users_to_fix() -> None:
    with pytest.raises(AblateError, match="a token spans 8 frames, but only 5 reach the core"):
        cost(replace(SPEC, window=20, warmup=0), frontend=VALID)


class Forgetful(Core):
    """A user's core that needs real numbers to be built, and forgets one of its weights."""

    def __init__(self, input: FeatureMap):
        super().__init__()
        self.out = replace(input, channels=3)
        self.used = nn.Conv3d(input.channels, 3, 1)
        self.forgotten = nn.Parameter(torch.ones(2))
        if not float(torch.ones(1)) > 0:
            raise AssertionError

    def forward(self, video: torch.Tensor) -> torch.Tensor:
        return self.used(video)


def test_a_users_core_is_described_and_its_unused_weight_is_named() -> None:
    found = cost(core={"type": "import", "target": f"{__name__}:Forgetful"}, modulator={"type": "none"})
    assert found.parts["core"] == 4 * 3 + 3 + 2
    assert found.shapes["core"] == (3, 25, 51, 51)
    assert "core.forgotten: a parameter that gets no gradient" in found.lints


class Loose(Model):
    """A model of another family: one part named, one weight beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.named = nn.Linear(3, 2)
        self.beside = nn.Parameter(torch.zeros(5))

    def forward(self, batch: EncodingBatch) -> tuple[torch.Tensor, ...]:
        return (self.named(batch.sessions[0].stimulus.new_zeros(1, 3)) + self.beside.sum(),)

    def parts(self) -> dict[str, nn.Module]:
        return {"named": self.named}

    def lints(self) -> Iterator[str]:
        yield "inner: just so"

    def cost_notes(self) -> dict[str, str]:
        return {"isolation": "identity"}


class LooseConfig(Config):
    def build(self, spec: object) -> Loose:
        return Loose()


def test_a_model_of_another_family_gives_its_parts_lints_and_notes() -> None:
    found = describe(LooseConfig(), SPEC)
    assert found.parts == {"named": 8, "other": 5}
    assert found.flops == {"named": 12}
    assert found.shapes == {"named": (2,)}
    assert found.notes == {"isolation": "identity"}
    assert found.lints == ("inner: just so",)
