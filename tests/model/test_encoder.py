"""The whole encoder: causality, sessions together and alone, what must fit, and the reference's parameter table."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from ablate.contract import EncodingBatch, EncodingSpec, FeatureMap, FusionSpec, SessionSpec, SessionWindows, Target
from ablate.errors import AblateError
from ablate.model import EncoderConfig, ModelConfig
from ablate.model.cost import parts_of
from ablate.model.encoder import scored_steps, step_means

STAND_IN = {"type": "import", "target": "standin_core:StandInCore"}
MODULATORS = [{"type": "convgru", "hidden_dim": 5, "beh_emb_dim": 3}, {"type": "film"}, {"type": "concat"}]


def spec_of(
    *sizes: tuple[int, int], units: int = 3, behaviors: int = 2, window: int = 24, warmup: int = 8
) -> EncodingSpec:
    sessions = tuple(
        SessionSpec(f"s{i}", *size, units + i, behaviors, 120.0, (0.5,) * (units + i)) for i, size in enumerate(sizes)
    )
    return EncodingSpec(sessions, window=window, score_every=8, warmup=warmup)


def batch_of(spec: EncodingSpec, rows: int = 2, behavior: bool = True) -> EncodingBatch:
    windows = []
    for index, session in enumerate(spec.sessions):
        shape = (rows + index, len(spec.lags), session.units)
        windows.append(
            SessionWindows(
                index,
                torch.randn(rows + index, 1, spec.window, session.height, session.width),
                torch.randn(rows + index, spec.window, session.behaviors) if behavior else None,
                Target(index, torch.zeros(shape), torch.ones(shape, dtype=torch.bool)),
            )
        )
    return EncodingBatch(tuple(windows), spec.lags)


def build(spec: EncodingSpec, **parts: Any) -> torch.nn.Module:
    config = {"core": STAND_IN, "adapter": {"grid": 8, "type": "affine"}, "modulator": {"type": "none"}, **parts}
    return EncoderConfig.model_validate(config).build(spec)


def test_every_session_gets_its_log_rates_at_its_lags() -> None:
    spec = spec_of((6, 9), (4, 4))
    model = build(spec)
    rates = model(batch_of(spec))
    assert [tuple(rate.shape) for rate in rates] == [(2, 2, 3), (3, 2, 4)]
    assert all(torch.isfinite(rate).all() and rate.dtype == torch.float32 for rate in rates)


@pytest.mark.parametrize("frontend", [{"type": "learnable_temporal"}, {"type": "blur"}, {"type": "none"}], ids=str)
@pytest.mark.parametrize("modulator", [*MODULATORS, {"type": "none"}], ids=str)
def test_future_frames_and_behaviour_never_change_a_past_rate(
    modulator: dict[str, Any], frontend: dict[str, Any]
) -> None:
    spec = spec_of((6, 9))
    model = build(spec, modulator=modulator, frontend=frontend).eval()
    batch = batch_of(spec)
    before = model(batch)[0]
    (windows,) = batch.sessions
    windows.stimulus[:, :, -8:] += 1  # after the bin at lag 8
    assert windows.behavior is not None
    windows.behavior[:, -8:] += 1
    after = model(batch)[0]
    torch.testing.assert_close(after[:, 0], before[:, 0], atol=1e-6, rtol=1e-6)
    assert not torch.allclose(after[:, 1], before[:, 1])


@pytest.mark.parametrize("modulator", MODULATORS, ids=str)
def test_behaviour_alone_changes_a_rate(modulator: dict[str, Any]) -> None:
    spec = spec_of((6, 9))
    model = build(spec, modulator=modulator)
    batch = batch_of(spec)
    before = model(batch)[0]
    assert batch.sessions[0].behavior is not None
    batch.sessions[0].behavior.add_(1)
    assert not torch.allclose(model(batch)[0], before)


@pytest.mark.parametrize("modulator", [*MODULATORS, {"type": "none"}], ids=str)
def test_sessions_in_one_batch_equal_the_sessions_one_at_a_time(modulator: dict[str, Any]) -> None:
    spec = spec_of((6, 9), (4, 4), (1, 1))
    model = build(spec, modulator=modulator).eval()
    batch = batch_of(spec)
    together = model(batch)
    for windows, expected in zip(batch.sessions, together, strict=True):
        (alone,) = model(EncodingBatch((windows,), batch.lags))
        torch.testing.assert_close(alone, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("modulator", [*MODULATORS, {"type": "none"}], ids=str)
@pytest.mark.parametrize("readout", ["gaussian", "factorized", "pooled", "none"])
def test_every_parameter_gets_a_gradient(modulator: dict[str, Any], readout: str) -> None:
    spec = spec_of((6, 9), (4, 5))
    model = build(spec, modulator=modulator, readout={"type": readout})
    loss = sum(rate.exp().sum() for rate in model(batch_of(spec))) + model.penalty()
    loss.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert torch.isfinite(model.penalty())


def test_the_same_seed_gives_the_same_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build(spec_of((6, 9)), modulator=MODULATORS[0]).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_log_rates_are_never_below_minus_twenty() -> None:
    spec = spec_of((6, 9))
    model = build(spec)
    with torch.no_grad():
        model.readouts[0].bias.fill_(-1000)
    assert (model(batch_of(spec))[0] == -20).all()


def test_progress_reaches_the_readouts() -> None:
    model = build(spec_of((6, 9)), readout={"type": "gaussian", "std": 3.0})
    model.progress(1.0)
    assert model.readouts[0].log_std.exp().max().item() == pytest.approx(0.48)


def test_parts_hold_every_parameter_once_in_the_order_of_the_flow() -> None:
    model = build(spec_of((6, 9), (4, 4)), modulator=MODULATORS[0])
    parts = parts_of(model)
    assert list(parts) == ["adapter", "frontend", "tokenizer", "modulator", "readout"]
    found = [id(p) for modules in parts.values() for module in modules for p in module.parameters()]
    assert sorted(found) == sorted(id(p) for p in model.parameters())


# ------------------------------------------------------------------ time


def test_steps_are_counted_back_from_the_newest() -> None:
    steps = torch.arange(5.0).reshape(1, 1, 5, 1, 1)  # steps of 4 frames
    assert scored_steps(steps, (16, 8, 0), 4).flatten().tolist() == [0, 2, 4]


def test_a_bin_older_than_the_core_sees_is_refused() -> None:
    spec = spec_of((6, 9), window=26, warmup=0)
    with pytest.raises(AblateError, match="24 frames back, and the core gives 6 steps of 4 frames"):
        build(spec)(batch_of(spec))


def test_behaviour_is_averaged_over_the_frames_of_each_step() -> None:
    values = torch.arange(10.0).reshape(1, 10, 1)
    assert step_means(values, 2, 4).flatten().tolist() == [3.5, 7.5]
    assert step_means(values, 3, 4).flatten().tolist() == [0.25, 3.5, 7.5]  # frames 0 0 0 1
    assert torch.equal(step_means(values, 10, 1), values)


# ------------------------------------------------------------------ what must fit


def test_a_time_step_that_does_not_divide_score_every_is_refused_with_a_hint() -> None:
    with pytest.raises(AblateError, match="scored every 8 frames, and the core makes a step every 3") as caught:
        build(spec_of((6, 9)), core={**STAND_IN, "params": {"step": 3}})
    assert "multiple of 3" in str(caught.value)


def test_without_an_adapter_sessions_must_have_one_size() -> None:
    build(spec_of((6, 6), (6, 6)), adapter={"type": "none"})
    with pytest.raises(AblateError, match="session `s1` is 4 x 4 pixels and `s0` is 6 x 6"):
        build(spec_of((6, 6), (4, 4)), adapter={"type": "none"})


def test_a_modulator_without_behaviour_is_refused_and_none_is_not() -> None:
    spec = spec_of((6, 6), behaviors=0)
    with pytest.raises(AblateError, match="needs behaviour and the data have none"):
        build(spec, modulator=MODULATORS[0])
    assert torch.isfinite(build(spec)(batch_of(spec, behavior=False))[0]).all()


def test_sessions_with_different_behaviour_need_no_modulator() -> None:
    one, two = spec_of((6, 6), behaviors=1), spec_of((6, 6), (6, 6), behaviors=2)
    spec = EncodingSpec((one.sessions[0], two.sessions[1]), 24, 8, 8)
    build(spec)(batch_of(spec))
    with pytest.raises(AblateError, match="different numbers of behaviour variables \\(s0: 1, s1: 2\\)"):
        build(spec, modulator=MODULATORS[0])


def test_labels_are_refused() -> None:
    labels = FusionSpec(("a",), 1, 1, (3, 8, 8), 2, 10, 2, (0.5, 0.5), "trial")
    with pytest.raises(AblateError, match="the model `encoder` predicts spikes, and the data give labels"):
        EncoderConfig().build(labels)


def test_a_users_part_that_does_not_say_its_map_is_told_so() -> None:
    with pytest.raises(AblateError, match="`Mute` has no attribute `out`"):
        build(spec_of((6, 6)), core={"type": "import", "target": "standin_core:Mute"})


# ------------------------------------------------------------------ the models of the reference

P1 = {"tokenizer": {"kernel_size": (8, 4, 4), "stride": (8, 4, 4)}}
P4 = {"embedding_dim": 256, "num_spatial_blocks": 6, "num_temporal_blocks": 6, "ff_dim": 1024}
P2 = {"type": "convgru", "hidden_dim": 256, "beh_emb_dim": 32}


def count_parts(spec: EncodingSpec, **config: Any) -> tuple[dict[str, int], int]:
    with torch.device("meta"):
        model = EncoderConfig.model_validate(config).build(spec)
    parts = {
        name: sum(p.numel() for module in modules for p in module.parameters())
        for name, modules in parts_of(model).items()
    }
    assert sum(parts.values()) == sum(p.numel() for p in model.parameters())
    return parts, sum(parts.values())


TABLE_SPEC = spec_of((36, 64), units=8, behaviors=42)


@pytest.mark.parametrize(("core", "tokenizer", "total"), [({}, 4_592_000, 11_443_939), (P1, 361_856, 7_213_795)])
def test_parameters_of_vivit_are_those_of_the_reference(core: dict[str, Any], tokenizer: int, total: int) -> None:
    parts, found = count_parts(TABLE_SPEC, core={"type": "vivit", **core})
    assert parts == {
        "adapter": 3,
        "frontend": 64,
        "tokenizer": tokenizer,
        "spatial_blocks": 2_368_512,
        "temporal_blocks": 2_368_512,
        "modulator": 2_113_264,
        "readout": 1_584,
    }
    assert found == total


def test_parameters_of_the_resnet_are_those_of_the_reference() -> None:
    parts, found = count_parts(
        TABLE_SPEC,
        core={"type": "resnet"},
        modulator=P2,
        frontend={"type": "learnable_temporal", "anti_aliasing": True},
    )
    stages = [count for name, count in parts.items() if name not in ("adapter", "frontend", "modulator", "readout")]
    assert stages == [39_168, 1_249_680, 926_480]
    assert (parts["modulator"], parts["readout"], found) == (3_829_856, 2_096, 6_047_347)


def test_p4_changes_the_model_also_its_feed_forward() -> None:
    _, baseline = count_parts(TABLE_SPEC, core={"type": "vivit"})
    _, without = count_parts(TABLE_SPEC, core={"type": "vivit", **P4, "ff_dim": 768})
    _, whole = count_parts(TABLE_SPEC, core={"type": "vivit", **P4})
    assert baseline < without < whole


def test_the_default_is_the_recorded_baseline() -> None:
    config = TypeAdapter(ModelConfig).validate_python({"type": "encoder"})
    assert config == EncoderConfig()
    assert (config.core.type, config.modulator.type, config.readout.type) == ("vivit", "convgru", "gaussian")


@pytest.mark.parametrize(
    "core", [{"type": "vivit", **P1}, {"type": "resnet"}, {"type": "hybrid_cnn_transformer"}], ids=str
)
def test_the_cores_of_ablate_fit_and_are_causal(core: dict[str, Any]) -> None:
    spec = spec_of((12, 12), window=24)
    torch.manual_seed(0)
    model = build(spec, core=core, adapter={"type": "affine", "grid": 16}, modulator=MODULATORS[0]).eval()
    batch = batch_of(spec, rows=1)
    with torch.no_grad():
        before = model(batch)[0]
        batch.sessions[0].stimulus[:, :, -8:] += 1
        after = model(batch)[0]
    torch.testing.assert_close(after[:, 0], before[:, 0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(after[:, 1], before[:, 1])


def test_feature_maps_pass_through_from_grid_to_readout() -> None:
    model = build(spec_of((6, 9)))
    assert model.core.out.row_centers == pytest.approx((-6 / 7, -2 / 7, 2 / 7, 6 / 7))
    assert isinstance(model.modulator.out, FeatureMap)
