"""Takes recordings (files, or a seeded synthetic world), gives seeded batches of windows and the bins they are
scored on."""

from typing import Annotated

from pydantic import Field

from ablate.data.coincidence import CoincidenceConfig
from ablate.data.encoding.config import EncodingDataConfig, SplitConfig
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.data.flipflop import FlipflopConfig
from ablate.data.synthetic.config import SyntheticV1Config
from ablate.data.trials import TrialsConfig

DataConfig = Annotated[
    SyntheticV1Config | RecordingsConfig | CoincidenceConfig | FlipflopConfig | TrialsConfig,
    Field(discriminator="type"),
]

__all__ = [
    "CoincidenceConfig",
    "DataConfig",
    "EncodingDataConfig",
    "FlipflopConfig",
    "RecordingsConfig",
    "SplitConfig",
    "SyntheticV1Config",
    "TrialsConfig",
]
