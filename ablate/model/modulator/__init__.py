"""Takes features (b d t h w) and the behaviour of each step (b t k), gives features that know the behaviour."""

from typing import Annotated

from pydantic import Field

from ablate.model.layer.imported import ImportedPart
from ablate.model.modulator.concat import ConcatConfig
from ablate.model.modulator.convgru import ConvGruConfig
from ablate.model.modulator.film import FilmConfig
from ablate.model.modulator.none import NoModulatorConfig

ModulatorConfig = Annotated[
    ConvGruConfig | FilmConfig | ConcatConfig | NoModulatorConfig | ImportedPart, Field(discriminator="type")
]
