"""What a label counts in the loss: as much as any other, or by its class. Scores never weigh.

    loss = sum_n w[y_n] nll_n / N,     w scaled so that sum_k prior_k w_k = 1

balanced: w_k = 1 / (K prior_k), K the classes that the training split holds (King & Zeng 2001; scikit-learn's
`class_weight="balanced"`). The scaling keeps the step as large as it was. A model that is trained so says what it would
of balanced classes: its balanced accuracy may rise while its bits, which are over the prior as it is, fall.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from ablate.contract import DataSpec, FusionSpec
from ablate.errors import AblateError, Problem
from ablate.training.config import TrainingConfig

WHERE = "training.class_weights"


def class_weights(config: TrainingConfig, spec: DataSpec, device: torch.device) -> Float[Tensor, " classes"] | None:
    """The weight of each class; None where all are alike. Raises AblateError where there are no such classes."""
    asked = config.class_weights
    if asked is None:
        return None
    if not isinstance(spec, FusionSpec) or spec.task != "labels":
        raise AblateError("these data hold no classes to weigh", where=WHERE, hint="leave it out")
    prior = torch.tensor(spec.class_prior, dtype=torch.float64)
    weights = torch.ones_like(prior) if isinstance(asked, Mapping) else 1 / prior.clamp(min=1e-12)
    if isinstance(asked, Mapping):
        names = spec.class_names or tuple(map(str, range(spec.classes)))
        unknown = tuple(
            Problem(f"no class is called {name}", WHERE, f"the classes are {', '.join(names)}")
            for name in asked
            if name not in names
        )
        if unknown:
            raise AblateError(problems=unknown)
        for name, weight in asked.items():
            weights[names.index(name)] = weight
    seen = prior > 0
    return torch.where(seen, weights / (prior * weights)[seen].sum(), 1.0).float().to(device)
