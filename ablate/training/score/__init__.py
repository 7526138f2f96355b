"""Takes predictions batch by batch, gives a split's `Score` and the table of its scored entries.

Sums are accumulated in double precision and divided once, so the score does not depend on how a split is cut into
batches.
"""

from importlib import import_module

from ablate.contract import DataSpec
from ablate.metric import METRICS, metric_for
from ablate.training.score.scorer import Scorer
from ablate.training.score.table import EntryTable


def scorer_for(spec: DataSpec, *, metric: str | None = None, min_spikes: int = 1) -> Scorer:
    """The scorer of a metric, or of what it selects by; by default the first one for such data. Raises ValueError for
    one of other data."""
    name = metric or next(known.name for known in METRICS.values() if known.task == spec.task)
    name = METRICS[metric_for(name, spec.task)].selects_by or name
    module, _, scorer = METRICS[name].scorer.partition(":")
    made = getattr(import_module(f"ablate.training.score.{module}"), scorer)  # named there, so that no torch is loaded
    found: Scorer = made(spec, min_spikes)
    return found
