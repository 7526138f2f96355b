"""One session's windows, gathered by index on its device and normalised by the training split's statistics."""

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ablate.contract import SessionWindows, Target
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.frames import FrameStore
from ablate.data.encoding.statistics import Statistics
from ablate.data.recording import Recording

Array = np.ndarray


class SessionReader:
    """Windows of a session by their newest frame. left_out: (u,) units that count nowhere."""

    def __init__(
        self,
        session: int,
        recording: Recording,
        statistics: Statistics,
        config: EncodingDataConfig,
        *,
        left_out: Bool[np.ndarray, " u"],
        device: torch.device,
    ):
        self.session, self.recording, self.statistics, self.config = session, recording, statistics, config
        self.left_out, self.device = left_out, device
        self.store = FrameStore(recording, device)

    def windows(
        self, ends: Int[np.ndarray, " b"], lags: tuple[int, ...], *, scores: Array | None = None
    ) -> SessionWindows:
        """lags: scored bins back from the newest frame. scores: (b, n) bins that count; all, where it is not given."""
        index = ends[:, None] + np.arange(1 - self.config.window, 1)  # b t
        statistics = self.statistics
        frames = self.store.stimulus(index).sub_(statistics.stimulus_mean).div_(statistics.stimulus_std)
        stimulus = rearrange(frames, "b t h w -> b 1 t h w")
        behavior = self._behavior(index)
        if self.config.time_reversed:
            stimulus = stimulus.flip(2)
            behavior = None if behavior is None else behavior.flip(1)
        bins = np.maximum(ends[:, None] - np.array(lags), 0)  # b n
        valid = self.store.valid(bins)
        if self.left_out.any():
            valid = valid & torch.as_tensor(~self.left_out, device=self.device)
        if scores is not None:
            valid = valid & torch.as_tensor(scores, device=self.device)[:, :, None]
        target = Target(self.session, self.store.spikes(bins), valid, newest=torch.as_tensor(ends))
        return SessionWindows(self.session, stimulus, behavior, target)

    def _behavior(self, index: Int[np.ndarray, "b t"]) -> Float[Tensor, "b t k"] | None:
        """Row t-1 for frame t, the last one measured before its bin (acausal: row t+1; constant: none). Where there is
        none, the mean."""
        recording, statistics = self.recording, self.statistics
        if self.config.behavior == "none" or recording.behavior is None:
            return None
        rows = index + (1 if self.config.behavior == "acausal" else -1)
        values = self.store.behavior(rows.clip(0, recording.frames - 1))
        mean, std = (
            torch.as_tensor(part, device=self.device) for part in (statistics.behavior_mean, statistics.behavior_std)
        )
        told = (rows >= 0) & (rows < recording.frames) & (self.config.behavior != "constant")
        inside = torch.as_tensor(told, device=self.device)
        return (values - mean) / std * inside[:, :, None]
