"""EEG encoders: take a trial's EEG (b, channels, samples), give tokens (b, e, d), none of which spans two intervals."""

from typing import Annotated

from pydantic import Field

from ablate.model.eeg.conformer import ConformerConfig
from ablate.model.eeg.eegnet import EegnetConfig
from ablate.model.eeg.none import NoEegConfig
from ablate.model.layer.imported import ImportedPart

EegConfig = Annotated[NoEegConfig | EegnetConfig | ConformerConfig | ImportedPart, Field(discriminator="type")]
