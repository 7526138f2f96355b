"""A run under way: the stages of the loop in `fit`, and the state between them, which is what a checkpoint holds."""

import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ablate.contract import Dataset, Model
from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.result.record import Score
from ablate.training.checkpoint import Checkpoints
from ablate.training.config import TrainingConfig
from ablate.training.evaluate import evaluate
from ablate.training.optimization.average import copy_into, trained_tensors
from ablate.training.optimization.compilation import Compiler, Decided
from ablate.training.optimization.schedule import evaluation_due, learning_rate, row_due
from ablate.training.optimization.step import Learner, StepLosses
from ablate.training.ranks import ALONE, Ranks
from ablate.training.seed import random_states, restore_random_states

READ_EVERY = 10  # steps between two looks at the losses on an accelerator, where a look waits for all work under way

Outcome = Literal["done", "diverged", "interrupted"]


class Listener:
    """Hears how a run goes; this one listens to nothing. `loss` is in nats an entry, without the penalty."""

    def on_step(self, step: int, steps: int, loss: float) -> None: ...

    def on_validation(self, step: int, score: Score) -> None: ...

    def on_told(self, what: str) -> None:
        """A sentence for the run's log."""

    def on_curve(self, rows: Sequence[Json]) -> None:
        """All whole rows of the learning curve so far, told before the step or the validation that completed one."""


@dataclass
class Progress:
    """Where a run is, apart from weights and random states: plain values. Steps count those taken."""

    taken: int = 0
    evaluated: int = 0
    """`taken` when the validation split was last scored."""
    best_step: int = 0
    best_score: float = -math.inf
    misses: int = 0
    """Evaluations in a row without a new best."""
    history: list[Json] = field(default_factory=list)
    """Rows of step, loss (mean since the row before), penalty, lr, grad_norm, and validation where it was scored."""
    losses: list[float] = field(default_factory=list)
    """Losses since the last row of the history."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stepping_seconds: float = 0.0
    stepped: int = 0
    """Steps in `stepping_seconds`: all but those before the first look at the losses, when caches are cold. Where the
    model is compiled on the way, those after it."""
    compiled: Json | None = None
    """`Decided`, once it is."""


class Run:
    """One call of `fit`. Methods that can find a run diverged return False then and set `outcome`."""

    def __init__(
        self,
        model: Model,
        dataset: Dataset,
        config: TrainingConfig,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks = ALONE,
    ):
        self.model, self.dataset, self.config, self.device, self.ranks = model, dataset, config, device, ranks
        self.learner = Learner(model, dataset, config, seed=seed, device=device, ranks=ranks)
        self.compiler = Compiler(model, dataset, config, device=device, ranks=ranks)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self.outcome: tuple[Outcome, str] = ("done", "")
        self.identity = identity(model, dataset, config, seed)
        self._unread: list[StepLosses] = []
        self._warm = False
        self._started = self._saved = time.monotonic()
        self._cpu_started = ranks.process_time()
        model.train()
        ranks.check_model(model)

    def compare(self) -> None:
        """Raises AblateError if ranks are not where the others are, or hold other weights."""
        self.ranks.check_equal(trained_tensors(self.model), self.progress.taken)

    def recompute(self, listener: Listener) -> None:
        """Where it is asked for: keeps less for the backward pass."""
        if self.config.activation_checkpointing and not self.model.recompute():
            listener.on_told("activation checkpointing: no part of this model has pieces to compute again")

    # -------------------------------------------------------------- evaluate, keep best, stop

    def evaluation_due(self) -> bool:
        progress = self.progress
        return evaluation_due(progress.taken, self.config) and progress.evaluated < progress.taken

    def evaluate(self, listener: Listener) -> bool:
        """Scores the full validation split with the averaged weights, and keeps these weights if they are the best."""
        progress = self.progress
        self.compare()
        self.model.progress(progress.taken / self.config.steps)
        batch_size, precision = self.config.micro_batch_size, self.config.precision
        try:
            with self.learner.average.applied():
                score, _ = evaluate(
                    self.model,
                    self.dataset,
                    "validation",
                    batch_size=batch_size,
                    device=self.device,
                    precision=precision,
                    ranks=self.ranks,
                )
        except FloatingPointError as error:
            self.outcome = ("diverged", f"validation after step {progress.taken}: {error}")
            return False
        progress.evaluated = progress.taken
        progress.history[-1]["validation"] = score.headline
        if gates := self.model.gates():
            progress.history[-1]["gates"] = gates
        self._keep_best(score.headline)
        listener.on_curve(progress.history)
        listener.on_validation(progress.taken, score)
        return True

    def _keep_best(self, headline: float) -> None:
        progress = self.progress
        if headline <= progress.best_score:
            progress.misses += 1
            return
        progress.best_score, progress.best_step, progress.misses = headline, progress.taken, 0
        if self.config.select == "best":
            self.best = self.learner.kept_weights()

    def finished(self) -> bool:
        out_of_patience = 0 < self.config.patience <= self.progress.misses
        return self.progress.taken >= self.config.steps or out_of_patience

    # -------------------------------------------------------------- compile, step, log

    def compile(self, listener: Listener) -> None:
        """Where it is due: decides whether the model is compiled, and compiles it. The clock of steps begins anew."""
        if said := self.compiler.consider(self.progress.taken, self.step_milliseconds()):
            listener.on_told(said)
            self._warm, self.progress.stepping_seconds, self.progress.stepped = False, 0.0, 0

    def step(self) -> None:
        with self._stepping(steps=1):
            self._unread.append(self.learner.step(self.progress.taken))
        self.progress.taken += 1

    def read_due(self) -> bool:
        """On a CPU a look at the losses is free."""
        looked = self.device.type == "cpu" or len(self._unread) >= READ_EVERY or self.compiler.due(self.progress.taken)
        return looked or evaluation_due(self.progress.taken, self.config)

    def read_losses(self, listener: Listener) -> bool:
        """Moves the losses of the last steps from the device into the history; False if one is not finite."""
        if not self._unread:
            return True
        with self._stepping(steps=0):
            table = torch.stack([torch.stack([value.float() for value in step]) for step in self._unread]).tolist()
        first, self._unread, self._warm = self.progress.taken - len(table) + 1, [], True
        for step, (loss, penalty, grad_norm) in enumerate(table, start=first):
            if not all(map(math.isfinite, (loss, penalty, grad_norm))):
                what = "gradient" if math.isfinite(loss) and math.isfinite(penalty) else "loss"
                self.progress.taken = step
                self.outcome = ("diverged", f"the {what} became non-finite at step {step}")
                return False
            self._log(step, loss, penalty, grad_norm)
        history = self.progress.history
        listener.on_curve(history[:-1] if self.evaluation_due() else history)  # the last row is given its score first
        listener.on_step(self.progress.taken, self.config.steps, table[-1][0])
        return True

    def _log(self, step: int, loss: float, penalty: float, grad_norm: float) -> None:
        losses = self.progress.losses
        losses.append(loss)
        if row_due(step, self.config):
            mean, rate = math.fsum(losses) / len(losses), learning_rate(step - 1, self.config)
            row = {"step": step, "loss": mean, "penalty": penalty, "lr": rate, "grad_norm": grad_norm}
            self.progress.history.append(row)
            losses.clear()

    @contextmanager
    def _stepping(self, steps: int) -> Iterator[None]:
        """Counts time as time of stepping: launching steps, and waiting for them."""
        started = time.monotonic()
        yield
        if self._warm:
            self.progress.stepping_seconds += time.monotonic() - started
            self.progress.stepped += steps

    # -------------------------------------------------------------- checkpoints

    def save_due(self) -> bool:
        every, seconds = self.config.checkpoint_every, self.config.checkpoint_seconds
        by_step = every > 0 and self.progress.taken % every == 0
        return by_step or (seconds > 0 and time.monotonic() - self._saved >= seconds)

    def save(self, checkpoints: Checkpoints) -> None:
        """All losses must have been read. Draws nothing, so that saving never changes a run."""
        self.clock()
        decided = self.compiler.decided
        self.progress.compiled = asdict(decided) if decided is not None else None
        state = {
            "identity": self.identity,
            "progress": asdict(self.progress),
            "best": self.best,
            "learner": self.learner.state_dict(),
            "random": random_states(),
        }
        checkpoints.save(self.progress.taken, state)
        self._saved = time.monotonic()

    def resume(self, checkpoints: Checkpoints) -> None:
        """Goes on from the newest checkpoint if there is one. Raises AblateError if it is another run's."""
        state = checkpoints.load()
        if state is None:
            return
        if state["identity"] != self.identity:
            raise AblateError(
                "the checkpoints there are of a run with another configuration, seed, or data",
                where=str(checkpoints.folder),
                hint="remove the folder to train this run from its start",
            )
        self.progress = Progress(**state["progress"])
        if self.progress.compiled is not None:
            self.compiler.decided = Decided(**self.progress.compiled)
        self.best = {name: value.to(self.device) for name, value in state["best"].items()}
        self.learner.load_state_dict(state["learner"])
        restore_random_states(state["random"])

    def interrupt(self, checkpoints: Checkpoints | None, listener: Listener) -> None:
        if not self.read_losses(listener):
            return
        where = f"stopped after step {self.progress.taken} of {self.config.steps}"
        if checkpoints is not None:
            self.save(checkpoints)
            where += "; the next start goes on from there"
        self.outcome = ("interrupted", where)

    # -------------------------------------------------------------- end

    def settle(self, listener: Listener) -> None:
        """Leaves the kept weights in the model: the best, or the last; an interrupted run's stay as they are."""
        if self.outcome[0] == "done" and self.config.select == "last":
            self.progress.best_step, self.best = self.progress.taken, self.learner.kept_weights()
        if self.outcome[0] != "interrupted":
            copy_into(trained_tensors(self.model), self.best)
        if self.outcome[0] == "done":
            self.clock()
            if said := self.compiler.keep(self.step_milliseconds()):
                listener.on_told(said)

    def clock(self) -> None:
        """Brings the progress's seconds up to now, those before the run was resumed included: of the clock on the wall,
        and of the processor, all threads and ranks together."""
        now, cpu_now = time.monotonic(), self.ranks.process_time()
        self.progress.seconds += now - self._started
        self.progress.cpu_seconds += cpu_now - self._cpu_started
        self._started, self._cpu_started = now, cpu_now
        self.compiler.count()

    def step_milliseconds(self) -> float:
        """Mean over warm steps; 0 if there was none."""
        return 1000 * self.progress.stepping_seconds / max(self.progress.stepped, 1)


def identity(model: Model, dataset: Dataset, config: TrainingConfig, seed: int) -> str:
    """Hash of all that decides a run, as far as the loop knows it: a checkpoint of another run is never taken up."""
    shapes = {name: list(value.shape) for name, value in trained_tensors(model).items()}
    settings = config.model_dump(mode="json", exclude=set(config.bookkeeping))
    identity = json.dumps([settings, seed, dataset.fingerprint, shapes], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()
