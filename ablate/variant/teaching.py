"""A variant's configuration in, the same with as many supervised bins a step as the baseline out.

Supervised bins are part of what is held equal. A patch that makes windows shorter, or leaves them fewer bins, would
otherwise be taught less at every step, and its loss would be read as the patch's. A patch that sets `batch_size` itself
says how much it wants to be taught, and the tables tell what that makes.
"""

import math

from ablate.metric import METRICS
from ablate.recipe import Configuration


def equally_scored(configuration: Configuration, baseline: Configuration) -> Configuration:
    """With the baseline's metric, also where a patch brings other data, if these can be scored by it."""
    metric, own = baseline.data.metric, configuration.data.metric
    if own == metric or METRICS[own].task != METRICS[metric].task:
        return configuration
    data = type(configuration.data).model_validate({**configuration.data.model_dump(), "metric": metric})
    return configuration.model_copy(update={"data": data})


def equally_taught(configuration: Configuration, baseline: Configuration) -> Configuration:
    """With enough windows a step for the baseline's bins, rounded up to whole micro-batches."""
    training = configuration.training
    if configuration.bins_per_step == baseline.bins_per_step or training.batch_size != baseline.training.batch_size:
        return configuration
    micro_batch = math.ceil(baseline.bins_per_step / configuration.data.bins_per_row / training.accumulate)
    equal = type(training).model_validate({**training.model_dump(), "batch_size": micro_batch * training.accumulate})
    return Configuration(data=configuration.data, model=configuration.model, training=equal)
