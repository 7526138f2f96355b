"""Pure functions of the step: learning rate, decay of the moving average, when to evaluate.

Steps count from 0 for a step about to be taken, and as the number of steps taken afterwards.
"""

import math

from ablate.training.config import TrainingConfig

LOG_ROWS = 500  # learning curves hold about this many rows, so that a hundred runs stay small on disk


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The rate of step `step` (from 0): linear over the warm-up from 1/warmup_steps of the peak, then the schedule.

    cosine: `final + (1 - final) (1 + cos(pi x)) / 2` of the peak, x running to exactly 1 at the last step
    (Loshchilov & Hutter 2017, without restarts).
    """
    taken = step + 1
    if taken <= config.warmup_steps:
        return config.learning_rate * taken / config.warmup_steps
    if config.schedule == "constant":
        return config.learning_rate
    done = (taken - config.warmup_steps) / (config.steps - config.warmup_steps)
    share = config.final_fraction + (1 - config.final_fraction) * (1 + math.cos(math.pi * done)) / 2
    return config.learning_rate * share


def average_decay(taken: int, decay: float) -> float:
    """Decay of the moving average after `taken` steps: min(decay, (1 + n) / (10 + n)).

    The ramp is that of TensorFlow's ExponentialMovingAverage: without it the first evaluations would score little
    but the initial weights.
    """
    return min(decay, (1 + taken) / (10 + taken))


def evaluation_due(taken: int, config: TrainingConfig) -> bool:
    """Whether the validation split is scored after `taken` steps."""
    return taken > 0 and (taken % config.evaluate_every == 0 or taken == config.steps)


def row_due(taken: int, config: TrainingConfig) -> bool:
    """Whether the learning curve gets a row after `taken` steps: at regular intervals and at each evaluation."""
    return taken % max(1, config.steps // LOG_ROWS) == 0 or evaluation_due(taken, config)
