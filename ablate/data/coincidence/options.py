"""The knobs of `coincidence`: beside those of all made trials, what the video and the pads show."""

from typing import Literal

from pydantic import Field

from ablate.data.trials.made import MadeTrialsConfig


class CoincidenceOptions(MadeTrialsConfig):
    """EEG and video whose coincidence is the label."""

    pads: Literal["end", "scattered"] = "end"
    """Where pads lie in an interval."""
    event_error: float = Field(default=0.0, ge=0, le=0.5)
    """How often the video shows the wrong event."""
    padding_trap: bool = False
    """Puts a marker in the pads that tells the label in train and validation and its opposite in test."""
