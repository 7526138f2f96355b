import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_toys import CPU, ToyDataset, ToyModel, bits, small_config, train_toy

from ablate.errors import AblateError
from ablate.training import Checkpoints, Listener, fit

PATIENT = {"steps": 24, "evaluate_every": 5, "checkpoint_seconds": 0.0}
CONFIGS = {
    "plain": small_config(**PATIENT, ema=0.0),
    "averaged": small_config(**PATIENT, ema=0.9),
    "accumulated": small_config(**PATIENT, accumulate=4),
    "last": small_config(**PATIENT, select="last"),
    "overfitting": small_config(**PATIENT, learning_rate=0.1),
    "patient": small_config(**{**PATIENT, "steps": 60}, learning_rate=0.3, ema=0.0, patience=2),
    "constant": small_config(**PATIENT, schedule="constant", clip=0.0),
}


class StopAt:
    """Says stop once at each of the given numbers of polls."""

    def __init__(self, *polls):
        self.left = list(polls)
        self.polled = 0

    def __call__(self):
        self.polled += 1
        if self.polled in self.left:
            self.left.remove(self.polled)
            return True
        return False


def told(result):
    """Everything that a run leaves, except for times."""
    return json.dumps(result.history), bits(result.model), result.best_step, result.steps, result.state


def finish(config, folder, stop):
    """Starts the run again and again until it is done, as a study does."""
    for _ in range(100):
        result = train_toy(config, checkpoints=Checkpoints(folder), stop=stop)
        if result.state != "interrupted":
            return result
    raise AssertionError("never done")


@pytest.fixture(scope="module")
def undisturbed():
    torch.set_num_threads(1)
    return {name: told(train_toy(config)) for name, config in CONFIGS.items()}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_stopped_many_times_equals_the_undisturbed_one(name, undisturbed, tmp_path):
    resumed = finish(CONFIGS[name], tmp_path / "run", StopAt(1, 3, 5, 6, 7, 12, 17, 26))
    assert told(resumed) == undisturbed[name]


@pytest.mark.parametrize("poll", range(1, 25))
def test_a_run_stopped_anywhere_equals_the_undisturbed_one(poll, undisturbed, tmp_path):
    resumed = finish(CONFIGS["averaged"], tmp_path / "run", StopAt(poll))
    assert told(resumed) == undisturbed["averaged"]


class Killed(BaseException):
    """As sudden as a signal: nothing may be tidied up."""


class KillAt(Listener):
    def __init__(self, step, at_validation=False):
        self.step, self.at_validation = step, at_validation

    def on_step(self, step, steps, loss):
        if step == self.step and not self.at_validation:
            raise Killed

    def on_validation(self, step, score):
        if step == self.step and self.at_validation:
            raise Killed


@pytest.mark.parametrize(("step", "at_validation"), [(1, False), (4, False), (9, False), (10, True), (24, True)])
def test_a_run_killed_between_checkpoints_loses_only_the_steps_since(step, at_validation, undisturbed, tmp_path):
    config = CONFIGS["averaged"].model_copy(update={"checkpoint_every": 3})
    with pytest.raises(Killed):
        train_toy(config, checkpoints=Checkpoints(tmp_path), listener=KillAt(step, at_validation))
    assert len(Checkpoints(tmp_path).paths()) == min(2, (step - (not at_validation)) // 3)
    heard = []
    listener = Listener()
    listener.on_step = lambda step, steps, loss: heard.append(step)
    resumed = train_toy(config, checkpoints=Checkpoints(tmp_path), listener=listener)
    assert told(resumed) == undisturbed["averaged"]
    assert heard[:1] == ([3 * ((step - (not at_validation)) // 3) + 1] if heard else [])


def test_a_damaged_checkpoint_costs_steps_but_not_the_result(undisturbed, tmp_path):
    config = CONFIGS["averaged"].model_copy(update={"checkpoint_every": 4})
    with pytest.raises(Killed):
        train_toy(config, checkpoints=Checkpoints(tmp_path), listener=KillAt(14))
    newest = Checkpoints(tmp_path).paths()[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    assert told(train_toy(config, checkpoints=Checkpoints(tmp_path))) == undisturbed["averaged"]


def test_checkpoints_by_time_change_nothing(undisturbed, tmp_path):
    config = CONFIGS["averaged"].model_copy(update={"checkpoint_seconds": 1e-9})
    assert told(train_toy(config, checkpoints=Checkpoints(tmp_path))) == undisturbed["averaged"]
    assert len(Checkpoints(tmp_path).paths()) == 2


def test_an_interrupted_run_says_where_it_stopped(tmp_path):
    result = train_toy(CONFIGS["plain"], checkpoints=Checkpoints(tmp_path), stop=StopAt(9))
    assert (result.state, result.steps) == ("interrupted", 8)
    assert result.reason == "stopped after step 8 of 24; the next start goes on from there"
    assert train_toy(CONFIGS["plain"], stop=StopAt(9)).reason == "stopped after step 8 of 24"


def test_the_time_of_a_resumed_run_is_that_of_all_its_parts(tmp_path):
    stopped = train_toy(CONFIGS["plain"], checkpoints=Checkpoints(tmp_path), stop=StopAt(20))
    resumed = train_toy(CONFIGS["plain"], checkpoints=Checkpoints(tmp_path))
    assert resumed.seconds > 0.9 * stopped.seconds > 0
    assert resumed.cpu_seconds > stopped.cpu_seconds > 0


@pytest.mark.parametrize("other", [{"seed": 1}, {"config": small_config(**PATIENT, learning_rate=2e-3)}])
def test_the_checkpoint_of_another_run_is_refused(other, tmp_path):
    train_toy(CONFIGS["averaged"], checkpoints=Checkpoints(tmp_path), stop=StopAt(5))
    settings = {"config": CONFIGS["averaged"], "seed": 0} | other
    with pytest.raises(AblateError, match="of a run with another configuration, seed, or data"):
        train_toy(settings.pop("config"), checkpoints=Checkpoints(tmp_path), **settings)


def test_another_model_is_refused_and_other_bookkeeping_is_not(tmp_path):
    train_toy(CONFIGS["averaged"], checkpoints=Checkpoints(tmp_path), stop=StopAt(5))
    data = ToyDataset()
    wide = ToyModel(data.spec, width=9)
    with pytest.raises(AblateError):
        fit(wide, data, CONFIGS["averaged"], seed=0, device=CPU, checkpoints=Checkpoints(tmp_path))
    config = CONFIGS["averaged"].model_copy(update={"checkpoint_every": 7})
    assert train_toy(config, checkpoints=Checkpoints(tmp_path)).state == "done"


def test_the_initial_weights_do_not_matter_to_a_resumed_run(undisturbed, tmp_path):
    train_toy(CONFIGS["averaged"], checkpoints=Checkpoints(tmp_path), stop=StopAt(9))
    data = ToyDataset()
    torch.manual_seed(99)
    other = ToyModel(data.spec)
    with torch.no_grad():  # frozen weights are rebuilt, not stored
        reference = train_toy(CONFIGS["averaged"], stop=StopAt(1)).model
        other.frozen.load_state_dict(reference.frozen.state_dict())
    resumed = fit(other, data, CONFIGS["averaged"], seed=0, device=CPU, checkpoints=Checkpoints(tmp_path))
    assert told(resumed) == undisturbed["averaged"]


@pytest.mark.slow
def test_a_process_that_is_really_killed_loses_nothing(undisturbed, tmp_path):
    script = """
import os, signal, sys
from training_toys import *
from ablate.training import Checkpoints, Listener
torch.set_num_threads(1)
class Kill(Listener):
    def on_step(self, step, steps, loss):
        if step == 13:
            os.kill(os.getpid(), signal.SIGKILL)
config = small_config(steps=24, evaluate_every=5, checkpoint_seconds=0.0, checkpoint_every=2, ema=0.9)
train_toy(config, checkpoints=Checkpoints(sys.argv[1]), listener=Kill())
"""
    here = Path(__file__).parent
    environment = {"PYTHONPATH": f"{here}:{here.parent.parent}", "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=False)
    assert done.returncode == -9
    assert len(Checkpoints(tmp_path).paths()) == 2
    assert told(train_toy(CONFIGS["averaged"], checkpoints=Checkpoints(tmp_path))) == undisturbed["averaged"]
