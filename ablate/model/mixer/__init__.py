"""Temporal mixers: take frame tokens (b, i, f, d) and their mask, give the same shape, where frames know others."""

from typing import Annotated

from pydantic import Field

from ablate.model.layer.imported import ImportedPart
from ablate.model.mixer.gru import GruConfig
from ablate.model.mixer.mamba import MambaConfig
from ablate.model.mixer.none import NoneMixerConfig
from ablate.model.mixer.s4d import S4dConfig
from ablate.model.mixer.tcn import TcnConfig
from ablate.model.mixer.transformer import TransformerMixerConfig

MixerPartConfig = Annotated[
    NoneMixerConfig | GruConfig | TcnConfig | S4dConfig | MambaConfig | TransformerMixerConfig | ImportedPart,
    Field(discriminator="type"),
]
