"""What a model is given of one recording: windows of frames and behaviour, normalised by training statistics.

Training, scoring and predictions on a stimulus that nobody trained on all go through here: they see the same bits.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Int

from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.reading.frames import FrameStore
from ablate.data.encoding.reading.statistics import Statistics

ROW_OF_FRAME = {"same_bin": 0, "acausal": 1}  # of behaviour, after the frame's own; else the one before


@dataclass(frozen=True)
class WindowInputs:
    """Windows by their newest frame. behaves: whether the recording has behaviour. starts: (t,) first frame of the
    unbroken run of each frame of the recording: one run, or a trial each."""

    store: FrameStore
    statistics: Statistics
    config: EncodingDataConfig
    behaves: bool
    starts: Int[np.ndarray, " t"]
    device: torch.device

    def stimulus(self, ends: Int[np.ndarray, " b"]) -> Float[torch.Tensor, "b 1 t h w"]:
        """Frames with the training split's mean 0 and deviation 1, oldest first."""
        frames = self.store.stimulus(self._index(ends))
        frames = frames.sub_(self.statistics.stimulus_mean).div_(self.statistics.stimulus_std)
        stimulus = rearrange(frames, "b t h w -> b 1 t h w")
        return stimulus.flip(2) if self.config.time_reversed else stimulus

    def behavior(self, ends: Int[np.ndarray, " b"]) -> Float[torch.Tensor, "b t k"] | None:
        """Row t-1 for frame t, the last one measured before its bin (same_bin: row t; acausal: row t+1; constant:
        none). Where there is none, as before the first frame of a recording or trial, the mean."""
        if self.config.behavior == "none" or not self.behaves:
            return None
        frames = self._index(ends)
        rows = frames + ROW_OF_FRAME.get(self.config.behavior, -1)
        last = len(self.starts) - 1
        at = rows.clip(0, last)
        values = self.store.behavior(at)
        mean, std = (
            torch.as_tensor(part, device=self.device)
            for part in (self.statistics.behavior_mean, self.statistics.behavior_std)
        )
        same_run = self.starts[at] == self.starts[frames.clip(0, last)]
        told = (rows == at) & same_run & (self.config.behavior != "constant")
        inside = torch.as_tensor(told, device=self.device)
        behavior = (values - mean) / std * inside[:, :, None]
        return behavior.flip(1) if self.config.time_reversed else behavior

    def _index(self, ends: Int[np.ndarray, " b"]) -> Int[np.ndarray, "b t"]:
        return np.asarray(ends[:, None] + np.arange(1 - self.config.window, 1))
