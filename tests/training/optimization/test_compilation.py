"""Whether a run is compiled, by a clock that is planted: no card is here, so that a CPU stands for one."""

import itertools
import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from training_toys import CPU, ToyDataset, ToyModel, bits, small_config, train_toy

from ablate.training import Checkpoints, Listener, run
from ablate.training.optimization import compilation
from ablate.training.optimization.compilation import (
    ASSUMED_SAVING,
    ASSUMED_SECONDS,
    DECIDED_AFTER,
    Compiler,
    Measured,
    place_of,
    weigh,
)
from ablate.training.ranks import ALONE

AUTO = {"steps": 60, "evaluate_every": 20, "checkpoint_seconds": 0.0, "compile": "auto"}


class Told(Listener):
    def __init__(self):
        self.said = []

    def on_told(self, what):
        self.said.append(what)


@pytest.fixture
def compiled_at(monkeypatch):
    """The steps taken when the model was compiled, in place of compiling it, which costs four seconds."""
    found = []

    def noted(self, **options):
        found.append(round(self.fractions[-1] * 60) + 1 if self.fractions else 0)

    monkeypatch.setattr(ToyModel, "compile", noted)
    monkeypatch.setattr(compilation, "_counters", lambda: (4.0 * len(found), len(found), len(found)))
    return found


@pytest.fixture
def card(monkeypatch, compiled_at):
    """A card whose steps take as many seconds as `card.step` says."""
    clock = SimpleNamespace(step=10.0, now=0.0)
    monkeypatch.setattr(compilation, "NEVER", {})
    monkeypatch.setattr(run.time, "monotonic", lambda: clock.now)
    forward = ToyModel.forward

    def timed(self, batch):
        clock.now += clock.step if self.training else 0.0
        return forward(self, batch)

    monkeypatch.setattr(ToyModel, "forward", timed)
    return clock


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch, tmp_path):
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))


def test_a_cpu_never_compiles_and_gives_the_bits_of_a_run_that_never_asked(compiled_at):
    listener = Told()
    asked, plain = train_toy(small_config(compile="auto"), listener=listener), train_toy(small_config())
    assert compiled_at == []
    assert bits(asked.model) == bits(plain.model)
    assert listener.said == [f"not compiled: {compilation.NEVER['cpu']}"]
    assert (asked.compilation.compiled, asked.compilation.why) == (False, compilation.NEVER["cpu"])
    assert plain.compilation is None


def test_a_card_decides_once_twenty_steps_were_timed(card, compiled_at):
    listener = Told()
    result = train_toy(small_config(**AUTO), listener=listener)
    assert compiled_at == [DECIDED_AFTER]
    assert listener.said == [
        "compiled: 40 steps of 10000.0 ms would save 116 s (29 % of a step, assumed), and compiling takes 109 s "
        "(assumed)",
        "compiling took 4 s (graphs: 1, from the cache on disk: 1), a step then 10000.0 ms, before 10000.0",
    ]
    assert result.compilation.model_dump() == {
        "compiled": True,
        "why": listener.said[0].removeprefix("compiled: "),
        "seconds": 4.0,
        "graphs": 1,
        "cached": 1,
        "plain_milliseconds": 10000.0,
    }


def test_where_the_steps_left_save_less_than_compiling_costs_it_is_left(card, compiled_at):
    card.step = 9.0
    result = train_toy(small_config(**AUTO))
    assert compiled_at == []
    assert result.compilation.why.startswith("40 steps of 9000.0 ms would save 105 s")


def test_what_an_earlier_run_measured_here_takes_the_place_of_what_is_assumed(card, compiled_at):
    train_toy(small_config(**AUTO))  # at 10 s a step before and after: compiling it brought nothing
    card.step = 1000.0
    again = train_toy(small_config(**AUTO), seed=1)
    assert compiled_at == [DECIDED_AFTER]
    assert not again.compilation.compiled
    assert "(0 % of a step, measured), and compiling takes 4 s (measured)" in again.compilation.why


def test_a_run_taken_up_again_stays_as_it_began(card, compiled_at, tmp_path):
    polls = itertools.count(1)
    config, stop = small_config(**AUTO), lambda: next(polls) in (5, 31)
    for polled in (4, 29):
        first = train_toy(config, checkpoints=Checkpoints(tmp_path / "run"), stop=stop)
        assert (first.state, first.steps) == ("interrupted", polled)
    card.step = 0.001  # now it would not pay
    last = train_toy(config, checkpoints=Checkpoints(tmp_path / "run"))
    assert compiled_at[0] == DECIDED_AFTER
    assert len(compiled_at) == 2
    assert last.compilation.compiled
    assert last.compilation.why.startswith("40 steps of 10000.0 ms")


def test_a_run_that_was_left_plain_stays_plain(card, compiled_at, tmp_path):
    card.step, polls = 1.0, itertools.count(1)
    config = small_config(**AUTO)
    train_toy(config, checkpoints=Checkpoints(tmp_path / "run"), stop=lambda: next(polls) == 30)
    card.step = 1000.0
    last = train_toy(config, checkpoints=Checkpoints(tmp_path / "run"))
    assert compiled_at == []
    assert not last.compilation.compiled


def test_a_short_run_ends_undecided_and_says_so(card, compiled_at):
    result = train_toy(small_config(**{**AUTO, "steps": 10}))
    assert result.compilation.why == "the run ended before step 20, after which it is decided"


def test_what_is_asked_for_outright_is_compiled_at_once_and_its_cost_is_known_later(compiled_at):
    result = train_toy(small_config(compile=True))
    assert compiled_at == [0]
    assert (result.compilation.why, result.compilation.seconds) == ("asked for", 4.0)
    (kept,) = compilation.cache_folder().glob("compiled/*.json")
    assert json.loads(kept.read_text())["plain"] is None


@pytest.mark.parametrize(
    ("steps", "milliseconds", "known", "pays"),
    [
        (10_000, 50.0, None, True),
        (5_000, 50.0, None, False),
        (5_000, 50.0, Measured(seconds=40.0, compiled=25.0), True),  # its cost is known, what it saves is not
        (5_000, 50.0, Measured(seconds=40.0, compiled=50.0, plain=60.0), True),
        (5_000, 50.0, Measured(seconds=40.0, compiled=55.0, plain=60.0), False),
        (10**9, 50.0, Measured(seconds=0.0, compiled=70.0, plain=60.0), False),  # compiled steps are slower
    ],
)
def test_the_steps_left_have_to_save_more_than_compiling_costs(steps, milliseconds, known, pays):
    assert weigh(steps, milliseconds, known)[0] is pays


def test_what_is_assumed_is_said_to_be():
    assert weigh(1000, 10.0, None)[1] == (
        f"1,000 steps of 10.0 ms would save {10 * ASSUMED_SAVING:.0f} s (29 % of a step, assumed), and compiling "
        f"takes {ASSUMED_SECONDS:.0f} s (assumed)"
    )


def test_a_measurement_is_of_one_model_and_one_batch_size():
    data = ToyDataset()

    def place(width, batch_size):
        return place_of(ToyModel(data.spec, width=width), data, small_config(batch_size=batch_size), CPU, ALONE)

    assert place(8, 8) == place(8, 8)
    assert len({place(8, 8), place(9, 8), place(8, 4)}) == 3


def test_a_damaged_measurement_is_none(card, compiled_at):
    config, data = small_config(**AUTO), ToyDataset()
    place = place_of(ToyModel(data.spec), data, config, CPU, ALONE)
    place.parent.mkdir(parents=True)
    place.write_text('{"seconds": ')
    assert "assumed" in train_toy(config, dataset=data).compilation.why


def test_a_card_without_triton_is_told(monkeypatch):
    monkeypatch.setattr(compilation.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(compilation, "device_name", lambda device: "a card")
    data = ToyDataset()
    compiler = Compiler(ToyModel(data.spec), data, small_config(**AUTO), device=torch.device("cuda"))
    assert compiler.consider(0, 0.0) == (
        "not compiled: triton is not installed, without which nothing is compiled for a card"
    )


@pytest.mark.parametrize(
    ("accumulate", "mode"), [(1, "max-autotune"), (2, "max-autotune-no-cudagraphs")], ids=["whole", "cut"]
)
def test_max_asks_for_the_compilers_own_mode_and_for_no_cuda_graphs_where_gradients_add_up(
    compiled_at, monkeypatch, accumulate, mode
):
    asked = []
    monkeypatch.setattr(ToyModel, "compile", lambda self, **options: asked.append(options))
    result = train_toy(small_config(compile="max", accumulate=accumulate))
    assert asked == [{"mode": mode}]
    assert result.compilation.why.startswith(f"asked for, in mode {mode}")


def test_a_model_that_has_nothing_to_compile_is_not_called_compiled(monkeypatch):
    """A GLM's `compile` does nothing: no graph was made."""
    monkeypatch.setattr(nn.Module, "compile", lambda self: None)
    monkeypatch.setattr(compilation, "_counters", lambda: (0.0, 0, 0))
    found = train_toy(small_config(compile=True)).compilation
    assert (found.compiled, found.why) == (False, "asked for; the model has nothing to compile")
