"""One trained study for all tests here: an encoder with behaviour and a GLM, two sessions."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tiny_study import DATA, recipe_text, request_of, write_recipe

from ablate.result import Store
from ablate.study.flow import run_study

MODULATED = """\
baseline:
  type: encoder
  adapter: {type: affine, grid: 8, scale: 0.5}
  frontend: {type: learnable_temporal, channels: 2, taps: 5}
  core:
    type: vivit
    tokenizer: {kernel_size: [4, 4, 4], stride: [4, 4, 4]}
    embedding_dim: 8
    num_spatial_blocks: 1
    num_temporal_blocks: 1
    num_heads: 1
    head_dim: 8
    ff_dim: 8
  modulator: {type: film}
  readout: {type: gaussian}
"""
GLM = """\
patches:
  line: {title: a linear filter, model: {type: glm, lags: 6, grid: 4}}
  past:
    title: with spikes, and counts that vary more than Poisson
    model: {type: glm, lags: 6, grid: 4, history: {lags: 4, coupling: true}}
    training: {loss: negative_binomial}
"""


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Variants `baseline`, `line` and `past`, seed 0, of two synthetic recordings."""
    folder = tmp_path_factory.mktemp("fitted")
    data = DATA.replace("sessions: 1,", "sessions: 2,")
    assert "question" in recipe_text()
    recipe = write_recipe(folder, data=data, baseline=MODULATED, patches=GLM)
    run_study(request_of(recipe, folder))
    return Store(folder / "tiny")
