"""Video encoders: take frames (b, i, f, ...) and their mask, give tokens (b, i, f2, d), grouped by interval, and theirs."""

from typing import Annotated

from pydantic import Field

from ablate.model.layer.imported import ImportedPart
from ablate.model.video.features import FeaturesConfig

VideoConfig = Annotated[FeaturesConfig | ImportedPart, Field(discriminator="type")]
