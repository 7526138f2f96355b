"""One session's windows, gathered by index on its device and normalised by the training split's statistics."""

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from ablate.contract import PastSpikes, SessionWindows, Target
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.reading.frames import FrameStore
from ablate.data.encoding.reading.inputs import WindowInputs
from ablate.data.encoding.reading.past import CountReader
from ablate.data.encoding.reading.rows import Rows
from ablate.data.encoding.reading.statistics import Statistics
from ablate.data.encoding.split.sessions import SessionSplit
from ablate.data.recording import Recording


class SessionReader:
    """Windows of a session by their newest frame. left_out: (u,) units that count nowhere. split: None where bins were
    seen more than once (repeats), each time after other spikes: then no past is given."""

    def __init__(
        self,
        session: int,
        recording: Recording,
        statistics: Statistics,
        config: EncodingDataConfig,
        *,
        left_out: Bool[np.ndarray, " u"],
        split: SessionSplit | None,
        device: torch.device,
    ):
        self.session, self.recording, self.statistics, self.config = session, recording, statistics, config
        self.left_out, self.device = left_out, device
        if recording.behavior is not None and recording.behavior_valid is not None:
            mean = np.asarray(statistics.behavior_mean, np.float32)
            recording = replace(recording, behavior=np.where(recording.behavior_valid, recording.behavior, mean))
        self.store = FrameStore(recording, device)
        behaves = recording.behavior is not None
        starts = np.zeros(recording.frames, np.int64) if split is None else split.run_start
        self.inputs = WindowInputs(self.store, statistics, config, behaves, starts, device)
        self.past = None
        if split is not None:
            self.past = CountReader(self.store, statistics, ~left_out, split.run_start, split.label, device)

    def windows(self, rows: Rows) -> SessionWindows:
        """The windows of rows that were sent to the device."""
        stimulus, behavior = self.inputs.stimulus(rows), self.inputs.behavior(rows)
        valid = self.store.valid(rows.bins)
        if self.left_out.any():
            valid = valid & self._kept
        if rows.counted is not None:
            valid = valid & rows.counted[:, :, None]
        target = Target(self.session, self.store.spikes(rows.bins), valid, newest=rows.newest)
        past = None if self.past is None else PastSpikes(rows.bins, self.past)
        return SessionWindows(self.session, stimulus, behavior, target, past)

    @cached_property
    def _kept(self) -> Bool[Tensor, " u"]:
        """Units that count, on the device for good."""
        return torch.as_tensor(~self.left_out, device=self.device)
