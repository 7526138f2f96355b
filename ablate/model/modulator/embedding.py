"""What the modulators share: behaviour must be there, and a linear embedding of it is spread over space."""

from einops import repeat
from jaxtyping import Float
from torch import Tensor

from ablate.contract import FeatureMap
from ablate.errors import AblateError


def require_behavior(kind: str, input: FeatureMap, behaviors: int, feature_dim: int | None) -> None:
    """Raises AblateError without behaviour, or if a stated `feature_dim` is not what the core gives."""
    if behaviors == 0:
        raise AblateError(
            f"the modulator `{kind}` needs behaviour and the data have none",
            where="baseline.modulator",
            hint="set `modulator: {type: none}`, or give every recording a behavior.npy (and `data.behavior: causal`)",
        )
    if feature_dim is not None and feature_dim != input.channels:
        raise AblateError(
            f"`feature_dim` is {feature_dim} and the core gives {input.channels} channels",
            where="baseline.modulator.feature_dim",
            hint="leave `feature_dim` out: it is inferred",
        )


def require_values(kind: str, behavior: Float[Tensor, "b t k"] | None) -> Float[Tensor, "b t k"]:
    """The behaviour of a batch; raises AblateError where a recording has none."""
    if behavior is None:
        raise AblateError(
            f"the modulator `{kind}` needs behaviour and a session of this batch has none",
            where="baseline.modulator",
            hint="set `modulator: {type: none}`",
        )
    return behavior


def over_space(embedded: Float[Tensor, "b t e"], features: Float[Tensor, "b d t h w"]) -> Float[Tensor, "b e t h w"]:
    """The embedding at every place of the map."""
    return repeat(embedded, "b t e -> b e t h w", h=features.shape[3], w=features.shape[4])
