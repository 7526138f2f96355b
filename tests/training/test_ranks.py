"""Several processes that train one run: the same windows, the gradient of the whole batch, one decision for all.

Sums run in another order than with one device, so that losses and weights agree to `CLOSE`, relative.
"""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from forked_ranks import in_ranks
from torch import nn
from training_toys import CPU, ToyDataset, ToyModel, bits, small_config

from ablate.contract import FusionBatch
from ablate.data.coincidence import CoincidenceConfig
from ablate.data.synthetic import SyntheticV1Config
from ablate.errors import AblateError
from ablate.model import EncoderConfig
from ablate.model.fusion.model import FusionConfig
from ablate.training import Checkpoints, Listener, fit, seeded, stream_seed
from ablate.training.optimization.step import Learner
from ablate.training.ranks import ALONE, LostPeerError, Together, batch_statistics

CLOSE = 1e-5


class Alike(ToyModel):
    """The toy model with a norm of single rows."""

    def __init__(self, spec, dropout=0.0, **options):
        super().__init__(spec, dropout=dropout, **options)
        self.norm = nn.LayerNorm(8)


def toy(ranks, config, *, dropout=0.0, model=Alike, **options):
    dataset = ToyDataset()
    with seeded(stream_seed(0, "init", 0)):
        built = model(dataset.spec, dropout=dropout)
    result = fit(built, dataset, config, seed=0, device=CPU, ranks=ranks, **options)
    return result.history, bits(result.model), result.best_step, result.state, result.reason, result.steps


def assert_close(ours, theirs):
    """Histories and weights."""
    for mine, other in zip(ours[0], theirs[0], strict=True):
        assert mine == pytest.approx(other, rel=CLOSE), (mine, other)
    assert ours[1].keys() == theirs[1].keys()
    for name, value in ours[1].items():
        one, other = (torch.frombuffer(bytearray(content), dtype=torch.float32) for content in (value, theirs[1][name]))
        torch.testing.assert_close(one, other, rtol=CLOSE, atol=1e-6, msg=name)


# ------------------------------------------------------------------ equal to one device


@pytest.mark.parametrize(
    ("count", "changes"),
    [
        (2, {}),
        (2, {"accumulate": 4}),
        (2, {"clip": 0.0, "ema": 0.0, "select": "last"}),
        (4, {"loss": "negative_binomial"}),
    ],
)
def test_several_ranks_train_as_one_does_and_hold_the_same_bits(count, changes, tmp_path):
    config = small_config(**changes)
    ranks = in_ranks(count, tmp_path, lambda ranks: toy(ranks, config))
    assert_close(ranks[0], toy(ALONE, config))
    assert all(other[1] == ranks[0][1] for other in ranks[1:])
    assert all([row["validation"] for row in other[0] if "validation" in row] for other in ranks)


class Picky(ToyDataset):
    """Each step's rows are of one session alone, and its first rows hold no valid entry."""

    def train(self, *, seed, batch_size):
        stream = super().train(seed=seed, batch_size=batch_size)

        class One:
            number = 0

            def __next__(self):
                batch, self.number = next(stream), self.number + 1
                one = self.number % 2
                batch.targets[one].valid[: batch_size // 2] = False
                return type(batch)(batch.inputs[one : one + 1], batch.targets[one : one + 1])

            state_dict, load_state_dict = stream.state_dict, stream.load_state_dict

        return One()


class BySession(Alike):
    def forward(self, batch):
        return tuple(self._rates(x, self.heads[t.session]) for x, t in zip(batch.inputs, batch.targets, strict=True))


def test_a_session_that_a_step_leaves_out_is_left_alone_and_unequal_shares_weigh_by_their_entries(tmp_path):
    """AdamW would otherwise decay and move the weights of a head by its old moments."""

    def few(ranks):
        dataset = Picky()
        with seeded(1):
            model = BySession(dataset.spec, dropout=0.0)
        learner = Learner(model, dataset, small_config(weight_decay=0.5), seed=0, device=CPU, ranks=ranks)
        steps = []
        for taken in range(4):
            loss = learner.step(taken).loss.item()
            steps.append((loss, [p.grad is not None for p in learner.parameters], bits(model)))
        return steps

    one = few(ALONE)
    for mine in in_ranks(2, tmp_path, few):
        for (loss, reached, weights), (other, others, theirs) in zip(mine, one, strict=True):
            assert loss == pytest.approx(other, rel=CLOSE)
            assert reached == others
            assert not all(others)
            assert_close(([], weights), ([], theirs))


def of_encoder():
    data = SyntheticV1Config(
        sessions=3, units=4, frames=2000, height=8, width=8, behaviors=2, window=16, warmup=8, score_every=8,
        min_spikes=1, sessions_per_batch=2, split={"blocks": 1},
    )  # fmt: skip
    model = {
        "adapter": {"type": "none"},
        "core": {
            "type": "vivit", "tokenizer": {"kernel_size": [4, 4, 4], "stride": [4, 4, 4]}, "embedding_dim": 8,
            "num_spatial_blocks": 1, "num_temporal_blocks": 1, "num_heads": 1, "head_dim": 8, "ff_dim": 8,
            "patch_dropout": 0.0, "drop_path": 0.0, "dropout": 0.0,
        },
        "modulator": {"type": "convgru", "hidden_dim": 4, "beh_emb_dim": 2},
    }  # fmt: skip
    return data, EncoderConfig.model_validate(model)


def of_fusion():
    return CoincidenceConfig(train_trials=60, validation_trials=20, test_trials=20), FusionConfig.model_validate(
        {"dropout": 0.0}
    )


@pytest.mark.parametrize("of", [of_encoder, of_fusion], ids=["encoder", "fusion"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_real_model_on_two_ranks_has_the_losses_and_scores_of_one(of, precision, tmp_path):
    data, model = of()
    dataset = data.open(CPU)
    config = small_config(steps=8, evaluate_every=4, batch_size=7, learning_rate=1e-3, precision=precision)

    def work(ranks):
        with seeded(0):
            built = model.build(dataset.spec)
        result = fit(built, dataset, config, seed=0, device=CPU, ranks=ranks)
        return result.history, bits(result.model)

    one, (first, second) = work(ALONE), in_ranks(2, tmp_path, work)
    tolerance = CLOSE if precision == "fp32" else 1e-2
    for mine, other in zip(first[0], one[0], strict=True):
        assert mine.keys() == other.keys()
        for name in {"loss", "penalty", "validation", *(["grad_norm"] if precision == "fp32" else [])} & mine.keys():
            assert mine[name] == pytest.approx(other[name], rel=tolerance, abs=tolerance), (mine, other)
    assert first[1] == second[1]


COMPILED = """
import sys
from pathlib import Path
from test_ranks import *
data, model = of_encoder()
dataset = data.open(CPU)
def work(ranks, compile=True):
    with seeded(0):
        built = model.build(dataset.spec)
    config = small_config(steps=4, evaluate_every=2, warmup_steps=1, compile=compile)
    return fit(built, dataset, config, seed=0, device=CPU, ranks=ranks).history
one, two = work(ALONE, compile=False), in_ranks(2, Path(sys.argv[1]), work)
for mine, other in zip(two[0], one, strict=True):
    assert mine == pytest.approx(other, rel=1e-4), (mine, other)
"""


@pytest.mark.slow
def test_a_compiled_model_on_two_ranks_has_the_losses_of_one_that_is_not(tmp_path):
    """In a process of its own: the runtime shape check cannot itself be compiled."""
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": f"{here.parents[1]}{os.pathsep}{here}", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", COMPILED, str(tmp_path)], env=environment, check=True, timeout=290)


# ------------------------------------------------------------------ the same windows


def digest(batch):
    """Of every row, whatever batch it came in: its session and all that the model is given."""
    rows = []
    if isinstance(batch, FusionBatch):
        whose = [t.session for t in batch.targets for _ in t.values]
        rows += [(whose[r], batch.eeg[r], batch.frames[r], batch.frame_mask[r]) for r in range(batch.size)]
    else:
        rows += [
            (w.session, w.stimulus[r], w.target.values[r], w.target.valid[r])
            for w in batch.sessions
            for r in range(len(w.stimulus))
        ]
    return [
        hashlib.sha256(b"".join([bytes([s]), *(x.numpy().tobytes() for x in content)])).hexdigest()
        for s, *content in rows
    ]


@pytest.mark.parametrize("of", [of_encoder, of_fusion], ids=["encoder", "fusion"])
@pytest.mark.parametrize(("count", "pieces"), [(2, 1), (3, 2), (4, 8), (16, 1)])
def test_the_ranks_share_the_rows_that_one_device_draws_by_hash(of, count, pieces, monkeypatch):
    monkeypatch.setattr(Together, "agreed", lambda self, wish: wish)
    dataset = of()[0].open(CPU)
    for _ in range(2):
        streams = [dataset.train(seed=3, batch_size=12) for _ in range(count + 1)]
        alone = digest(next(streams[-1]))
        shares = [Together(rank, count).share(next(stream), pieces) for rank, stream in enumerate(streams[:-1])]
        assert [row for share in shares for piece in share for row in digest(piece)] == alone
        assert max(piece.size for share in shares for piece in share) <= max(1, -(-12 // pieces))
        assert len({sum(piece.size for piece in share) for share in shares}) <= 2


# ------------------------------------------------------------------ draws, checkpoints, stop


def test_the_draws_of_a_step_are_its_own_and_each_ranks_own(tmp_path):
    def drawn(ranks):
        found = []
        for taken in (0, 1, 0):
            ranks.reseed(7, taken)
            found.append(torch.rand(3).tolist())
        return found

    first, second = in_ranks(2, tmp_path, drawn)
    assert first[0] == first[2] != first[1]
    assert first[0] != second[0]


class StopAt:
    """Says stop once, at the given poll."""

    def __init__(self, poll):
        self.left = poll

    def __call__(self):
        self.left -= 1
        return self.left == 0


def test_a_wish_of_any_rank_stops_all_at_one_step_and_the_run_goes_on_to_the_same_bits(tmp_path):
    config = small_config(checkpoint_seconds=0.0)
    undisturbed = in_ranks(2, tmp_path / "a", lambda ranks: toy(ranks, config, dropout=0.5))

    def some(ranks):
        wish = StopAt(10) if ranks.rank == 1 else None
        return toy(ranks, config, dropout=0.5, stop=wish, checkpoints=Checkpoints(tmp_path / "run"))

    stopped = in_ranks(2, tmp_path / "b", some)
    assert [(one[3], one[5]) for one in stopped] == [("interrupted", 9)] * 2
    assert stopped[0][4] == "stopped after step 9 of 24; the next start goes on from there"
    again = in_ranks(
        2, tmp_path / "c", lambda ranks: toy(ranks, config, dropout=0.5, checkpoints=Checkpoints(tmp_path / "run"))
    )
    assert again == undisturbed


def test_a_rank_that_is_killed_ends_the_others_and_costs_the_steps_since_the_checkpoint(tmp_path):
    config = small_config(checkpoint_seconds=0.0, checkpoint_every=3)
    undisturbed = in_ranks(2, tmp_path / "a", lambda ranks: toy(ranks, config, dropout=0.5))

    def killed(ranks):
        def stop(polls=iter(range(100))):
            if ranks.rank == 1 and next(polls) == 11:
                os.kill(os.getpid(), signal.SIGKILL)
            return False

        return toy(ranks, config, dropout=0.5, stop=stop, checkpoints=Checkpoints(tmp_path / "run"))

    first, second = in_ranks(2, tmp_path / "b", killed)
    assert second == -signal.SIGKILL
    assert isinstance(first, LostPeerError)
    assert [path.name[5:14] for path in Checkpoints(tmp_path / "run").paths()] == ["000000006", "000000009"]
    again = in_ranks(
        2, tmp_path / "c", lambda ranks: toy(ranks, config, dropout=0.5, checkpoints=Checkpoints(tmp_path / "run"))
    )
    assert again == undisturbed


def test_only_the_first_rank_listens_and_saves(tmp_path):
    def heard(ranks):
        steps = []
        listener = Listener()
        listener.on_step = lambda step, steps_, loss: steps.append(step)
        own = Checkpoints(tmp_path / f"run{ranks.rank}")
        toy(ranks, small_config(checkpoint_every=6), listener=listener, checkpoints=own)
        return len(steps), len(own.paths())

    assert in_ranks(2, tmp_path, heard) == [(24, 2), (0, 0)]


def test_the_processor_time_is_that_of_all_ranks(tmp_path):
    def spent(ranks):
        ranks.agreed(False)
        own = torch.tensor([os.times().user + os.times().system], dtype=torch.float64)
        return own.item(), ranks.process_time()

    (first, total), (second, same) = in_ranks(2, tmp_path, spent)
    assert total == same
    assert total == pytest.approx(first + second, abs=0.1)


# ------------------------------------------------------------------ what cannot be shared


def test_a_layer_that_takes_statistics_of_a_batch_is_refused_by_name(tmp_path):
    for error in in_ranks(2, tmp_path, lambda ranks: toy(ranks, small_config(), model=ToyModel)):
        assert isinstance(error, AblateError)
        assert "`norm (BatchNorm1d)` takes statistics of its batch, and each of 2 devices has a share" in str(error)


def test_statistics_that_are_not_taken_in_training_are_no_matter():
    layers = nn.Sequential(nn.BatchNorm1d(2), nn.InstanceNorm1d(2), nn.InstanceNorm1d(2, track_running_stats=True))
    assert list(batch_statistics(layers)) == ["0 (BatchNorm1d)", "2 (InstanceNorm1d)"]
    assert list(batch_statistics(layers.eval())) == []


class Remembering(Alike):
    """Keeps a mean of what it sees."""

    def __init__(self, spec, **options):
        super().__init__(spec, **options)
        self.register_buffer("seen", torch.zeros(4))

    def forward(self, batch):
        if self.training:
            self.seen.lerp_(batch.inputs[0].mean(dim=(0, 1)), 0.1)
        return super().forward(batch)


def test_a_buffer_that_comes_apart_is_named_at_the_next_evaluation(tmp_path):
    for error in in_ranks(2, tmp_path, lambda ranks: toy(ranks, small_config(), model=Remembering)):
        assert isinstance(error, AblateError)
        assert "after step 6 `seen` is not the same on devices 1 and 2 of 2" in str(error)


def test_ranks_that_begin_apart_are_refused(tmp_path):
    def apart(ranks):
        dataset = ToyDataset()
        with seeded(ranks.rank):
            model = Alike(dataset.spec)
        return fit(model, dataset, small_config(), seed=0, device=CPU, ranks=ranks)

    for error in in_ranks(2, tmp_path, apart):
        assert "after step 0 `place` is not the same" in str(error)
