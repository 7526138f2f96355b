"""The knobs of `flipflop`: beside those of all made trials, how often the lamp is written and when it is asked for."""

from pydantic import Field, model_validator

from ablate.data.trials.made import MadeTrialsConfig


class FlipflopOptions(MadeTrialsConfig):
    """EEG and video; the label is a lamp, which the video's markers set and clear, XOR the evoked response."""

    intervals: int = Field(default=6, ge=1)
    """Intervals of a trial (i), each with a label."""
    train_event_bias: float = Field(default=0.7, gt=0, lt=1)
    """How many of the markers set the lamp, in the training split alone; elsewhere half. With `toggle` nothing reads
    it."""
    write: float = Field(default=0.12, gt=0, le=1)
    """Chance that a valid frame shows a marker, one of the two."""
    toggle: bool = False
    """Every marker flips the lamp, whichever it is, instead of setting (A) or clearing (B) it: parity, which no linear
    state space with positive decay holds."""
    jitter: int = Field(default=0, ge=0)
    """Frames before the interval's end at which its label asks for the lamp: the EEG is that much early."""

    @model_validator(mode="after")
    def _asked_within(self) -> "FlipflopOptions":
        if self.jitter >= self.frames:
            raise ValueError(f"jitter {self.jitter} leaves none of an interval's {self.frames} frames")
        return self
