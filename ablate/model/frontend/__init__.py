"""Takes the video on the grid (b c t h w), gives it filtered in time, causally; the newest frame stays the newest."""

from typing import Annotated

from pydantic import Field

from ablate.model.frontend.blur import BlurConfig
from ablate.model.frontend.learnable_temporal import LearnableTemporalConfig
from ablate.model.frontend.none import NoFrontendConfig
from ablate.model.layer.imported import ImportedPart

FrontendConfig = Annotated[
    LearnableTemporalConfig | BlurConfig | NoFrontendConfig | ImportedPart, Field(discriminator="type")
]
