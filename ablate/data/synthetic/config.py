"""The embedded default: V1-like units watch a natural-statistics movie through fixational eye movements; true rates
are kept.

Recordings are made once, as ordinary recording folders in a cache keyed by this configuration, then opened
memory-mapped. Because the true rates are known, so is the best attainable score. The parts of the world are beside
this file: the movie, the eye, behaviour, the units.
"""

from typing import Literal

import torch

from ablate.contract import SessionSpec
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.config import PLACEHOLDER_RATE, EncodingDataConfig
from ablate.data.recording import read_recording
from ablate.data.synthetic.world import WorldConfig, session_name

REHEARSAL_FRAMES = 6000
REHEARSAL_SESSIONS = 2


class SyntheticV1Config(WorldConfig, EncodingDataConfig):
    """V1-like units with known true rates."""

    type: Literal["synthetic_v1"] = "synthetic_v1"

    @property
    def world(self) -> WorldConfig:
        """The part of this configuration that changes the recordings."""
        return WorldConfig(**{name: value for name, value in self if name in WorldConfig.model_fields})

    def session_specs(self) -> tuple[SessionSpec, ...]:
        return tuple(
            SessionSpec(
                name=session_name(index),
                height=self.height,
                width=self.width,
                units=units,
                behaviors=self.behaviors,
                bin_rate_hz=self.bin_rate_hz,
                mean_rate=(PLACEHOLDER_RATE,) * units,
            )
            for index, units in enumerate(self.units_of_sessions)
        )

    def open(self, device: torch.device) -> EncodingDataset:
        from ablate.data.synthetic.make import materialise, world_key

        folder = materialise(self.world)
        recordings = tuple(read_recording(folder / session_name(index)) for index in range(self.sessions))
        return EncodingDataset(recordings, self, content=world_key(self.world), device=device)

    def sources(self) -> tuple[str, ...]:
        from ablate.data.synthetic.clip import clip_file

        return () if self.movie.clip is None else (str(clip_file(self.movie.clip)),)

    def rehearsal(self) -> "SyntheticV1Config":
        sessions = min(self.sessions, REHEARSAL_SESSIONS)
        units = self.units[:sessions] if isinstance(self.units, tuple) else self.units
        frames = min(self.frames, REHEARSAL_FRAMES)
        return self.changed(sessions=sessions, units=units, frames=frames, **self._rehearsed_windows())
