"""One step: what it does to the sessions that its batch does not hold."""

from pathlib import Path

import pytest
import torch
from tiny_study import DATA, recipe_text

from ablate.model.encoder import Encoder
from ablate.recipe import load_recipe
from ablate.study.running.train import build_model, open_data
from ablate.training.optimization.step import Learner

CPU = torch.device("cpu")
L1 = 0.01


@pytest.fixture
def learner(tmp_path: Path) -> Learner:
    """Three sessions, one a batch."""
    (tmp_path / "r.yaml").write_text(recipe_text(data=DATA.replace("sessions: 1, units", "sessions: 3, units")))
    configuration = load_recipe(tmp_path / "r.yaml", sets=[f"baseline.readout.l1={L1}"]).configuration
    data = open_data(configuration, CPU)
    return Learner(build_model(configuration, data, 0, CPU), data, configuration.training, seed=0, device=CPU)


def absent(learner: Learner) -> list[int]:
    """Sessions that the next batch lacks."""
    place = learner.batches.state_dict()
    held = {target.session for target in next(learner.batches).targets}
    learner.batches.load_state_dict(place)
    return [session for session in range(3) if session not in held]


def test_sessions_that_a_batch_lacks_are_regularised_all_the_same(learner: Learner):
    """So that the penalty cannot be that of the batch's sessions alone: the weights of the others would stand still."""
    model = learner.model
    assert isinstance(model, Encoder)
    without = absent(learner)
    before = [readout.features.detach().clone() for readout in model.readouts]
    learner.step(1)
    assert len(without) == 2
    for session in without:
        features = model.readouts[session].features
        assert torch.equal(features.grad.sign(), before[session].sign())
        assert not torch.equal(features, before[session])
        assert (features.abs() < before[session].abs()).all()
        assert model.readouts[session].mean.grad is None  # nothing but the penalty reaches them


def test_sessions_that_a_batch_lacks_are_bounded_all_the_same_and_so_averaged(learner: Learner):
    """So that `progress` cannot wait until a session is seen again: the average of its widths would be another."""
    model = learner.model
    assert isinstance(model, Encoder)
    session = absent(learner)[0]
    readout = model.readouts[session]
    name = f"readouts.{session}.log_std"
    averaged = learner.average.averages[name].clone()
    with torch.no_grad():
        readout.log_std.fill_(5.0)
    learner.step(4)
    assert (readout.log_std < 1.0).all()
    assert torch.allclose(learner.average.averages[name], averaged, atol=1.0)
