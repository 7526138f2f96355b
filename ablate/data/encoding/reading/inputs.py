"""What a model is given of one recording: windows of frames and behaviour, normalised by training statistics.

Training, scoring and predictions on a stimulus that nobody trained on all go through here: they see the same bits.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.reading.frames import FrameStore
from ablate.data.encoding.reading.rows import Rows
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

    def rows(
        self, ends: Int[np.ndarray, " b"], lags: tuple[int, ...], scores: Bool[np.ndarray, "b n"] | None = None
    ) -> Rows:
        """What windows that end at these frames read, on the host. scores: bins that count; all, where not given."""
        met = np.maximum(ends[:, None] - np.array(lags), 0)  # b n
        frames = np.asarray(ends[:, None] + np.arange(1 - self.config.window, 1))
        behaved = told = None
        if self.config.behavior != "none" and self.behaves:
            asked = frames + ROW_OF_FRAME.get(self.config.behavior, -1)
            last = len(self.starts) - 1
            at = asked.clip(0, last)
            same_run = self.starts[at] == self.starts[frames.clip(0, last)]
            behaved = torch.from_numpy(at)
            told = torch.from_numpy((asked == at) & same_run & (self.config.behavior != "constant"))
        counted = None if scores is None else torch.from_numpy(np.asarray(scores))
        newest = torch.as_tensor(ends)
        return Rows(newest, torch.from_numpy(frames), torch.from_numpy(met), behaved, told, counted)

    def stimulus(self, rows: Rows) -> Float[Tensor, "b 1 t h w"]:
        """Frames with the training split's mean 0 and deviation 1, oldest first."""
        frames = self.store.stimulus(rows.frames)
        frames = frames.sub_(self.statistics.stimulus_mean).div_(self.statistics.stimulus_std)
        stimulus = rearrange(frames, "b t h w -> b 1 t h w")
        return stimulus.flip(2) if self.config.time_reversed else stimulus

    def behavior(self, rows: Rows) -> Float[Tensor, "b t k"] | None:
        """Row t-1 for frame t, the last one measured before its bin (same_bin: row t; acausal: row t+1; constant:
        none). Where there is none, as before the first frame of a recording or trial, the mean."""
        if rows.behaved is None or rows.told is None:
            return None
        mean, std = self._moments
        behavior = (self.store.behavior(rows.behaved) - mean) / std * rows.told[:, :, None]
        return behavior.flip(1) if self.config.time_reversed else behavior

    @cached_property
    def _moments(self) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
        """Mean and deviation of behaviour, on the device for good."""
        mean, std = self.statistics.behavior_mean, self.statistics.behavior_std
        return torch.as_tensor(mean, device=self.device), torch.as_tensor(std, device=self.device)
