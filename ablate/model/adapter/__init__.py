"""Takes one session's video (b 1 t h w) of any size, gives it on the grid that all sessions share."""

from typing import Annotated

from pydantic import Field

from ablate.model.adapter.affine import AffineConfig
from ablate.model.adapter.none import NoAdapterConfig
from ablate.model.layer.imported import ImportedPart

AdapterConfig = Annotated[AffineConfig | NoAdapterConfig | ImportedPart, Field(discriminator="type")]
