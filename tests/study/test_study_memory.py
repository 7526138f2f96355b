"""The memory of a training step is predicted of every variant, and what does not fit is told with what would."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_study import request_of, write_recipe

from ablate.cli.screen.table.memory import print_memory
from ablate.contract import DataSpec, ModelOptions
from ablate.model.footprint import Footprint
from ablate.request import Request
from ablate.study import memory
from ablate.study.memory import FIRST, predicted
from ablate.study.study import Study, study_of

PATCHES = """\
patches:
  fast: {title: a higher learning rate, training: {learning_rate: 3.0e-3}}
  wide: {title: wider tokens, core: {embedding_dim: 16}}
  half: {title: the same in two pieces, training: {accumulate: 2}}
"""


HERE = Request(recipe=Path("tiny.yaml"), device="cpu")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("memory")
    return study_of(request_of(write_recipe(folder, patches=PATCHES), folder / "results"))


def test_each_variant_is_predicted_and_the_same_model_is_asked_once(study: Study, monkeypatch: pytest.MonkeyPatch):
    asked, real = list[object](), memory.footprint

    def noted(config: ModelOptions, spec: DataSpec, **named: object) -> Footprint | None:
        asked.append(config)
        return real(config, spec, **named)

    monkeypatch.setattr(memory, "footprint", noted)
    steps = predicted(study, HERE, free=10**12).steps
    assert list(steps) == ["baseline", "glm", "fast", "wide", "half"]
    assert len(asked) == 4
    assert steps["fast"].peak == steps["baseline"].peak
    assert steps["half"].footprint.kept < 0.6 * steps["baseline"].footprint.kept
    assert steps["baseline"].peak < steps["wide"].peak
    assert {step.precision for step in steps.values()} == {"fp32"}


def test_what_does_not_fit_is_told_with_the_fewest_pieces_that_do(study: Study):
    all_of = predicted(study, HERE, free=10**12)
    assert all_of.too_large == ()
    base = all_of.steps["baseline"].footprint
    found = predicted(study, HERE, free=base.cut(3))  # 3 do not divide 16
    told = {problem.what.partition(":")[0]: problem for problem in found.too_large}
    assert set(told) == {"baseline", "glm", "fast", "wide", "half"}
    assert "training.accumulate: 4" in told["baseline"].hint
    assert told["baseline"].where == "training.batch_size"
    (problem,) = predicted(study, HERE, free=base.peak).too_large
    assert problem.what.startswith("wide: a training step takes about ")


def test_where_there_is_room_the_baseline_and_the_largest_are_enough(study: Study, capsys: pytest.CaptureFixture[str]):
    found = predicted(study, HERE, every=False, free=10**12)
    assert len(found.steps) == FIRST
    assert {"baseline", "wide"} < set(found.steps)
    print_memory(found, 5)
    assert "; of the others by --cost" in " ".join(capsys.readouterr().out.split())
    scarce = predicted(study, HERE, every=False, free=found.steps["wide"].peak)
    assert len(scarce.steps) == 5


def test_one_window_that_does_not_fit_is_told(study: Study):
    problems = predicted(study, HERE, free=1).too_large
    assert {problem.hint for problem in problems} == {
        "one window alone does not fit: take a shorter one, or a smaller model; "
        "`training.activation_checkpointing: true` keeps less, too"
    }


def test_of_a_device_elsewhere_nothing_is_known(study: Study, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "entry_of", lambda _: SimpleNamespace(remote=True))
    monkeypatch.setattr(memory, "device_of", lambda *_: "cuda")
    monkeypatch.setattr(memory, "free_host_bytes", lambda: 1)
    found = predicted(study, HERE)
    assert (found.device, found.free, found.too_large) == ("cuda", None, ())
    assert {step.precision for step in found.steps.values()} == {"bf16"}


def test_it_is_a_line_and_warnings(study: Study, capsys: pytest.CaptureFixture[str]):
    print_memory(predicted(study, HERE, free=1), 5)
    told = capsys.readouterr()
    assert told.out.startswith("memory of a training step on a card, predicted (fp32; ")
    assert "baseline " in told.out
    assert told.err.count("warning: training.batch_size: ") == 5
