"""A study of the user's own code, which changes between two commands."""

import sys
from pathlib import Path

import pytest
import torch
from tiny_study import DATA, request_of

from ablate.cli.command.run import finished_study
from ablate.errors import AblateError
from ablate.request import Request
from ablate.study.flow import run_study
from ablate.study.running.train import build_model, train_run
from ablate.study.study import study_of

CPU = torch.device("cpu")
MODEL = '''
"""A rate for each unit, whatever is seen."""
import torch
from torch import nn
from ablate.contract import Model
from tiny_helper import start


class Constant(Model):
    def __init__(self, spec):
        super().__init__()
        self.biases = nn.ParameterList(start(session.units) for session in spec.sessions)

    def forward(self, batch):
        many = [(len(windows.stimulus), len(batch.lags), 1) for windows in batch.sessions]
        return tuple(self.biases[one.session].repeat(size) for one, size in zip(batch.sessions, many))
'''
HELPER = "import torch\n\n\ndef start(units):\n    return torch.full((units,), -1.0)\n"
RECIPE = f"""\
name: own
question: is the code part of the run?
{DATA}baseline: {{type: import, target: "tiny_model:Constant"}}
training: {{steps: 2, batch_size: 2, warmup_steps: 1, evaluate_every: 2}}
glm: false
variants: []
seeds: [0]
"""


@pytest.fixture
def request_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    for name, text in {"tiny_model.py": MODEL, "tiny_helper.py": HELPER, "another.py": "", "own.yaml": RECIPE}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    forget(monkeypatch)
    return request_of(tmp_path / "own.yaml", tmp_path / "out")


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been imported, as a new process has not."""
    from ablate.model.layer import imported

    monkeypatch.setattr(imported, "_seen", {})
    for name in ("tiny_model", "tiny_helper"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize("file", ["tiny_model.py", "tiny_helper.py"])
def test_other_code_is_another_run(request_here, tmp_path, monkeypatch, file):
    """The class was named and no more: the scores of the code of before were kept, and shown as those of the new."""
    before = run_study(request_here).study.manifest.run_keys
    assert finished_study(request_here) is not None
    (tmp_path / "another.py").write_text("x = 1\n")
    assert finished_study(request_here) is not None
    (tmp_path / file).write_text((tmp_path / file).read_text() + "# changed\n")
    forget(monkeypatch)
    assert finished_study(request_here) is None
    with pytest.raises(AblateError, match="`baseline` now means something else"):
        run_study(request_here)
    end = run_study(request_of(request_here.recipe, request_here.out, changed=True))
    assert end.trained == 1
    assert not end.study.manifest.run_keys & before


def test_a_run_is_not_trained_by_other_code_than_its_key_tells_but_opened(request_here, tmp_path, monkeypatch):
    """An editor saves while a study trains: the runs that had not begun were of the new code, under the old keys."""
    (job,) = study_of(request_here).jobs
    (tmp_path / "tiny_helper.py").write_text(HELPER.replace("-1.0", "-2.0"))
    with pytest.raises(AblateError, match="is not what it was when the recipe was read"):
        train_run(job.model_dump(mode="json"))
    (tmp_path / "tiny_model.py").rename(tmp_path / "gone.py")
    forget(monkeypatch)
    with pytest.raises(AblateError, match="cannot import `tiny_model`"):
        train_run(job.model_dump(mode="json"))
    (tmp_path / "gone.py").rename(tmp_path / "tiny_model.py")
    forget(monkeypatch)
    dataset = job.configuration.data.open(CPU)
    assert float(build_model(job.configuration, dataset, 0, CPU, fitted=True).biases[0].detach()[0]) == -2.0


def test_code_that_was_imported_before_it_changed_is_refused(request_here, tmp_path):
    """Python keeps what it has imported: in a notebook the code of before would be trained under the name of the new
    one."""
    study_of(request_here)
    (tmp_path / "tiny_helper.py").write_text(HELPER.replace("-1.0", "-2.0"))
    with pytest.raises(AblateError, match="has changed since this Python imported it") as told:
        study_of(request_here)
    assert "start Python again" in told.value.problems[0].hint
