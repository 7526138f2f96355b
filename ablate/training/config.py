"""How a model is trained: everything that the loop reads, in one flat table of options."""

import json
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ablate.config import Config

Fraction = Annotated[float, Field(ge=0, lt=1)]

REHEARSAL_STEPS = 8  # two evaluations four steps apart: enough to prove that building, stepping, and scoring work


class TrainingConfig(Config):
    """AdamW with per-step warm-up, then a cosine; the best weights on the full validation split are kept.

    The defaults follow the lab's (AdamW (0.9, 0.95), clip 1.0, cosine), except that warm-up counts steps, not epochs.
    """

    bookkeeping: ClassVar[tuple[str, ...]] = ("checkpoint_every", "checkpoint_seconds", "activation_checkpointing")
    """Fields that change no number of a run: a content key may leave them out."""

    loss: Literal["poisson", "negative_binomial"] = "poisson"
    """What counts are taken for: negative_binomial learns a dispersion of each unit beside the rates, for counts that
    vary more than Poisson. Scores stay what the metric says. Labels are always trained by cross-entropy."""
    steps: Annotated[int, Field(ge=1)] = 2000
    """Optimizer steps."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Windows (for fusion: clips) an optimizer step, all its micro-batches together."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Micro-batches that a step's batch is cut into to save memory; the effective batch stays `batch_size`."""
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    """Peak learning rate, reached after the warm-up."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.95)
    """AdamW's decay of the first and second moment."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Decoupled weight decay of weights with two axes or more; norms, biases, positions, readout geometry take none."""
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    """Steps of linear warm-up; the first step already has 1/warmup_steps of the peak, never exactly zero."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """What follows the warm-up: half a cosine down to `final_fraction` of the peak, or the peak itself."""
    final_fraction: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of the peak learning rate at the last step of a cosine."""
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """What a label of each class counts in the loss: balanced = every class the same in all, or weights by the class's
    name (1 for the others). Scores are of all labels as they are."""
    clip: Annotated[float, Field(ge=0)] = 1.0
    """Largest global norm of the gradient; 0 = off."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """bf16 = bfloat16 autocast; fp32 = exact single precision; auto = bf16 on CUDA, fp32 elsewhere."""
    ema: Fraction = 0.999
    """Decay a step of the moving average of the weights, which is then what is scored and kept; 0 = off."""
    evaluate_every: Annotated[int, Field(ge=1)] = 200
    """Steps between two scores of the full validation split; the last step is always scored."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Stop after this many validation scores in a row without a new best; 0 = never."""
    select: Literal["best", "last"] = "best"
    """Which weights are kept: those of the best validation score, or those after the last step."""
    compile: Literal["auto", "max"] | bool = False
    """Compile the model by `torch.compile`: slower to start, faster to step. auto = on a card, where the steps left
    save more seconds than compiling costs; never on a CPU. The run's log and record say what was decided and why. max =
    in its mode max-autotune, which tries several kernels and replays a card's as CUDA graphs: slowest to start."""
    activation_checkpointing: bool = False
    """Keep for the backward pass what blocks and stages of the backbone are given, and compute again what happens
    within them: less memory for a longer step. Changes no number, so that no run's key depends on it."""
    reseed: Annotated[int, Field(ge=0)] = 0
    """Salt of all random streams (initial weights, dropout, batches): the control that changes nothing but the draw."""
    checkpoint_every: Annotated[int, Field(ge=0)] = 0
    """Steps between two checkpoints; 0 = by time alone."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 60.0
    """Seconds between two checkpoints; 0 = by steps alone."""

    @model_validator(mode="after")
    def _consistent(self) -> "TrainingConfig":
        if self.batch_size % self.accumulate:
            raise ValueError(f"batch_size {self.batch_size} is not divisible by accumulate {self.accumulate}")
        if self.warmup_steps >= self.steps and self.warmup_steps > 0:
            raise ValueError(f"warmup_steps {self.warmup_steps} leaves nothing of steps {self.steps}")
        return self

    def __hash__(self) -> int:
        """Weights by name are a mapping, which has no hash of its own."""
        return hash(json.dumps(self.model_dump(mode="json"), sort_keys=True))

    @property
    def micro_batch_size(self) -> int:
        """Windows of one forward pass."""
        return self.batch_size // self.accumulate

    def rehearsal(self) -> "TrainingConfig":
        """A few steps that prove that everything runs, for `--quick`; its scores are not results."""
        changes = {
            "steps": min(self.steps, REHEARSAL_STEPS),
            "batch_size": self.accumulate * min(self.micro_batch_size, 2),
            "warmup_steps": min(self.warmup_steps, 2, self.steps - 1),
            "evaluate_every": REHEARSAL_STEPS // 2,
        }
        return self.model_validate({**self.model_dump(), **changes})
