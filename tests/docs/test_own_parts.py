"""docs/own_parts.md says what is true: its blocks are written to files under the names they open with, and run."""

import re
from pathlib import Path

import pytest
import torch

from ablate.contract import EncodingSpec, SessionSpec, example_batch
from ablate.errors import Problems
from ablate.model import EncoderConfig
from ablate.model.causality import leaking_lag
from ablate.model.cost import describe
from ablate.recipe import load_recipe
from ablate.variant import lay_out
from ablate.variant.probe import real_variants

PAGE = Path(__file__).parents[2] / "docs" / "own_parts.md"
BLOCK = re.compile(r"```\w+\n# (\S+)\n(.*?)```", re.DOTALL)
SPEC = EncodingSpec((SessionSpec("s", 20, 22, 3, 0, 60.0, (0.1, 0.2, 0.3)),), window=48, score_every=8, warmup=24)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds every block of the page, from which its modules can be imported."""
    for name, content in BLOCK.findall(PAGE.read_text()):
        (tmp_path / name).write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("recipe", "part"), [("own_core.yaml", "core"), ("own_model.yaml", "model")])
def test_the_recipes_of_the_page_pass_the_checks_before_a_study(files: Path, recipe: str, part: str) -> None:
    problems = Problems()
    variants = real_variants(lay_out(load_recipe(files / recipe)).variants, problems)
    problems.refuse()
    baseline, changed = (next(v for v in variants if v.role == role) for role in ("baseline", "variant"))
    spec = baseline.configuration.data.describe()
    costs = [describe(variant.configuration.model, spec) for variant in (baseline, changed)]
    assert 0 < costs[0].parts[part] < costs[1].parts[part]
    assert 0 < costs[0].flops[part] < costs[1].flops[part]


def test_a_whole_model_that_sees_the_future_is_refused(files: Path) -> None:
    causal, leaking = ".unfold(1, self.frames, 1)", ".roll(-1, 1).unfold(1, self.frames, 1)"
    (files / "leaking_model.py").write_text((files / "my_model.py").read_text().replace(causal, leaking))
    recipe = (files / "own_model.yaml").read_text().replace("my_model:", "leaking_model:")
    (files / "leaking.yaml").write_text(recipe)
    problems = Problems()
    assert real_variants(lay_out(load_recipe(files / "leaking.yaml")).variants, problems) == ()
    assert problems.found[0].what.startswith("baseline: the model with `leaking_model:Brightness` sees the future")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("package", "target"),
    [
        ("openretina", "openretina_core:OpenRetinaCore"),
        ("neuralpredictors", "neuralpredictors_core:NeuralPredictorsCore"),
    ],
)
def test_the_core_of_another_lab_is_weighed_and_causal(files: Path, package: str, target: str) -> None:
    pytest.importorskip(package, reason=f"`pip install --no-deps {package}` to run this block of the page")
    config = EncoderConfig.model_validate(
        {
            "adapter": {"type": "none"},
            "core": {"type": "import", "target": target},
            "modulator": {"type": "none"},
        }
    )
    cost = describe(config, SPEC)
    assert cost.parts["core"] > 1000
    assert cost.flops["core"] > 1_000_000
    model = config.build(SPEC)
    assert leaking_lag(model, SPEC) is None
    rates = model.train()(example_batch(SPEC, torch.device("cpu")))[0]
    rates.sum().backward()
    assert rates.shape == (1, 3, 3)
