"""A small recording of noise, from which tests of the data room make their own."""

from dataclasses import replace
from typing import Any

import numpy as np

from ablate.data.recording import Recording

FRAMES = 3000


def noise_recording(name: str = "noise", frames: int = FRAMES, seed: int = 0, **changes: Any) -> Recording:
    """Uniform noise, 3 units at 0.2 spikes a bin; the first of 2 behaviour columns tells its row."""
    random = np.random.default_rng(seed)
    rates = np.full((frames, 3), 0.2, np.float32)
    recording = Recording(
        name=name,
        bin_rate_hz=100.0,
        stimulus=random.integers(0, 256, (frames, 4, 5), dtype=np.uint8),
        spikes=random.poisson(rates).astype(np.uint8),
        behavior=np.stack([np.arange(frames), random.standard_normal(frames)], axis=1).astype(np.float32),
        rates=rates,
    )
    return replace(recording, **changes)
