"""A good recipe, and what a bad one says."""

from collections.abc import Callable, Sequence

import pytest

from ablate.errors import AblateError
from ablate.recipe import read_recipe

GOOD = """\
name: fixes
question: which fix closes the gap?
data: {type: synthetic_v1, sessions: 2, units: 4, frames: 2000}
baseline:
  frontend:
    type: learnable_temporal
    params: {taps: 16, anti_aliasing: false}
  convnet:
    type: vivit
    params:
      tokenizer: {kernel_size: [8, 8, 8], stride: [8, 8, 8]}
      embedding_dim: 192
  modulator: {type: convgru, params: {hidden_dim: 192, beh_emb_dim: 16}}
training: {steps: 1e3, learning_rate: 1e-3}
patches:
  p1:
    title: finer tokens
    expect: [0.03, 0.05]
    tokenizer:
      kernel_size: [8, 4, 4]
      stride: [8, 4, 4]
  p2:
    modulator:
      params: {hidden_dim: 256, beh_emb_dim: 32}
  p3:
    frontend:
      params: {anti_aliasing: true}
references:
  resnet:
    convnet: resnet
variants: [each, ladder]
seeds: [0, 1, 2]
"""


@pytest.fixture
def good() -> str:
    return GOOD


@pytest.fixture
def complaints() -> Callable[..., list[str]]:
    """Everything that a recipe is told, one text a problem, as the terminal shows it."""

    def told(text: str, sets: Sequence[str] = ()) -> list[str]:
        with pytest.raises(AblateError) as caught:
            read_recipe(text, "recipes/x.yaml", sets)
        return [str(problem) for problem in caught.value.problems]

    return told
