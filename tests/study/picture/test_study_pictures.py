"""The numbers behind a model's pictures: kernels, places, rates and attention of models small enough to know them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from ablate.contract import Dataset
from ablate.data import DataConfig
from ablate.model import ModelConfig
from ablate.model.encoder import Encoder
from ablate.study.picture.attention import Recorder, attention_pictures, attention_weights
from ablate.study.picture.kernels import kernel_picture
from ablate.study.picture.rates import chosen, stretch, unit_pictures
from ablate.study.picture.readouts import readout_pictures

DATA = {
    "type": "synthetic_v1", "sessions": 1, "units": 4, "frames": 2500, "height": 8, "width": 8, "behaviors": 2,
    "rf_size": [0.8, 1.2], "window": 24, "warmup": 8, "score_every": 8, "split": {"blocks": 2},
}  # fmt: skip
CORE = {
    "type": "vivit", "tokenizer": {"kernel_size": [8, 4, 4], "stride": [8, 4, 4]}, "embedding_dim": 8,
    "num_spatial_blocks": 1, "num_temporal_blocks": 1, "num_heads": 2, "head_dim": 4, "ff_dim": 16, "registers": 1,
}  # fmt: skip
UNITS = {"sessions": [{"name": "v1_00", "entry": [0, 1, 2, 3], "value": [0.1, 0.4, None, 0.2]}]}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ABLATE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return TypeAdapter(DataConfig).validate_python(DATA).open(torch.device("cpu"))


def model_of(dataset: Dataset, **parts: Any) -> Encoder:
    torch.manual_seed(0)
    config = {
        "type": "encoder",
        "adapter": {"type": "none"},
        "core": CORE,
        "modulator": {"type": "none"},
        "readout": {"type": "gaussian"},
        **parts,
    }
    return TypeAdapter(ModelConfig).validate_python(config).build(dataset.spec).eval()


@pytest.mark.parametrize("window", [False, True])
@pytest.mark.parametrize("padding", ["causal", "valid"])
@torch.no_grad()
def test_the_measured_kernels_are_the_frontends_own(dataset: Dataset, window: bool, padding: str) -> None:
    frontend = {"type": "learnable_temporal", "channels": 3, "taps": 7, "anti_aliasing": window, "padding": padding}
    model = model_of(dataset, frontend=frontend)
    kernels = (model.frontend.kernels * model.frontend.taper)[:, 0].flip(-1)  # newest first
    found = kernel_picture(model, dataset.spec)
    assert found is not None
    np.testing.assert_allclose(np.array(found.weights), kernels.numpy(), atol=1e-6)


@torch.no_grad()
def test_a_frontend_without_memory_has_no_kernels(dataset: Dataset) -> None:
    assert kernel_picture(model_of(dataset, frontend={"type": "none"}), dataset.spec) is None


@torch.no_grad()
def test_a_gaussian_readout_tells_its_places_in_stimulus_coordinates(dataset: Dataset) -> None:
    model = model_of(dataset, adapter={"type": "affine", "grid": 8, "scale": 0.5})
    (found,) = readout_pictures(model, dataset.spec, UNITS)
    np.testing.assert_allclose(found.rows, 0.5 * model.readouts[0].mean[:, 0], rtol=1e-5)
    np.testing.assert_allclose(found.col_std, 0.5 * model.readouts[0].log_std[:, 1].exp(), rtol=1e-5)
    assert found.scores == (0.1, 0.4, None, 0.2)


@torch.no_grad()
def test_a_mask_is_told_by_its_centre_and_spread(dataset: Dataset) -> None:
    model = model_of(dataset, readout={"type": "factorized"})
    mask = torch.zeros_like(model.readouts[0].mask)
    mask[:, 0, 1] = -2.0
    model.readouts[0].mask.copy_(mask)
    (found,) = readout_pictures(model, dataset.spec, UNITS)
    out = model.core.out
    assert found.rows == pytest.approx([out.row_centers[0]] * 4)
    assert found.cols == pytest.approx([out.col_centers[1]] * 4)
    assert found.row_std == pytest.approx([0.0] * 4, abs=1e-3)


def test_a_readout_without_places_gives_none(dataset: Dataset) -> None:
    assert readout_pictures(model_of(dataset, readout={"type": "pooled"}), dataset.spec, UNITS) == ()


def test_the_best_median_and_worst_unit_are_chosen_among_the_scored() -> None:
    assert chosen(UNITS) == [("best", "v1_00", 1, 0.4), ("median", "v1_00", 3, 0.2), ("worst", "v1_00", 0, 0.1)]
    assert chosen(None) == []


@torch.no_grad()
def test_predicted_rates_are_those_of_the_test_and_the_truth_lies_beside_them(dataset: Dataset) -> None:
    model = model_of(dataset)
    best, _, _ = unit_pictures(model, dataset, UNITS)
    bins = stretch(dataset, 0)
    assert len(bins) == len(best.predicted) > 40
    assert np.all(np.diff(bins) == 1)
    assert set(dataset.bins("test")[0]) >= set(bins[bins % 8 == 0])
    np.testing.assert_allclose(best.true, dataset.recordings[0].rates[bins, 1], rtol=1e-6)
    np.testing.assert_array_equal(best.spikes, dataset.recordings[0].spikes[bins, 1])
    at = int(np.flatnonzero(bins % 8 == 0)[3])
    rates = model(type_of_batch(dataset, bins[at]))[0][0, -1, 1].exp()
    assert best.predicted[at] == pytest.approx(float(rates), rel=1e-4)


def type_of_batch(dataset: Dataset, end: int) -> Any:
    from ablate.contract import EncodingBatch

    return EncodingBatch((dataset.windows(0, np.array([end])),), dataset.spec.lags)


# ------------------------------------------------------------------ attention


@pytest.mark.parametrize("causal", [False, True])
def test_recorded_weights_reproduce_the_attention(causal: bool) -> None:
    query, key, value = torch.randn(3, 2, 4, 5, 6).unbind(0)
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=causal)
    torch.testing.assert_close(attention_weights(query, key, value, is_causal=causal) @ value, expected)


def test_masks_and_rows_that_see_nothing_are_kept_finite() -> None:
    query, key, value = torch.randn(3, 1, 1, 3, 4).unbind(0)
    mask = torch.tensor([[True, False, False], [True, True, False], [False, False, False]])
    weights = attention_weights(query, key, value, attn_mask=mask)
    assert weights[..., 0, :].tolist() == [[[1.0, 0.0, 0.0]]]
    assert weights[..., 2, :].sum() == 0
    added = attention_weights(query, key, value, attn_mask=torch.zeros(3, 3))
    torch.testing.assert_close(added, attention_weights(query, key, value))


@torch.no_grad()
def test_a_vivit_shows_where_it_attends_in_space_and_in_time(dataset: Dataset) -> None:
    found = {picture.name: picture for picture in attention_pictures(model_of(dataset), dataset)}
    assert {name: picture.kind for name, picture in found.items()} == {
        "spatial_blocks 0": "space",
        "temporal_blocks 0": "matrix",
    }
    steps = np.array(found["temporal_blocks 0"].values)
    np.testing.assert_allclose(steps.sum(axis=1), 1, atol=1e-3)
    assert np.all(np.triu(steps, 1) == 0), "a step attended to the future"
    assert np.array(found["spatial_blocks 0"].values).shape == (2, 2)


@torch.no_grad()
def test_recording_changes_no_prediction_and_leaves_no_hook(dataset: Dataset) -> None:
    model = model_of(dataset)
    batch = next(iter(dataset.sweep("test", batch_size=2)))
    before = model(batch)
    attention_pictures(model, dataset)
    with Recorder():
        torch.testing.assert_close(model(batch), before, rtol=0, atol=0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_model_without_attention_has_no_map(dataset: Dataset) -> None:
    core = {"type": "resnet", "channels": [4, 4, 4]}
    with torch.no_grad():
        assert attention_pictures(model_of(dataset, core=core), dataset) == ()


def test_a_run_that_is_not_done_is_told(tmp_path: Path) -> None:
    from ablate.errors import AblateError
    from ablate.result import RunRecord, Store
    from ablate.study.picture import collect

    store = Store(tmp_path)
    store.put(RunRecord(key="ab" * 8, study="s", variant="p", seed=0, state="failed", config={}))
    with pytest.raises(AblateError, match="the run is failed, so there is no fitted model"):
        collect(store, "ab" * 8, torch.device("cpu"))
