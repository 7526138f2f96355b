"""Takes the features of the scored steps (b d n h w), gives one session's log-rates (b n u)."""

from typing import Annotated

from pydantic import Field

from ablate.model.layer.imported import ImportedPart
from ablate.model.readout.factorized import FactorizedConfig
from ablate.model.readout.gaussian import GaussianConfig
from ablate.model.readout.pooled import PooledConfig

ReadoutConfig = Annotated[GaussianConfig | FactorizedConfig | PooledConfig | ImportedPart, Field(discriminator="type")]
