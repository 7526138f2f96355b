"""Random streams keyed by name, so that changing one thing never shifts the draws of another.

`stream_seed(seed, stream, salt)` = the first 63 bits of SHA-256 of "ablate/<stream>/<seed>/<salt>". The initial
weights, the order of batches, and dropout each have a stream of their own: a variant with more dropout layers still
sees the same batches. The salt is `TrainingConfig.reseed`; it changes all three streams and nothing else.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch

from ablate.disk.read import Json

Stream = Literal["init", "data", "dropout"]


def stream_seed(seed: int, stream: Stream, salt: int = 0) -> int:
    """The seed of one stream, in [0, 2**63)."""
    digest = hashlib.sha256(f"ablate/{stream}/{seed}/{salt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def seed_everything(seed: int) -> None:
    """Seeds torch (all devices), numpy's global generator, and Python's."""
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        torch.manual_seed(seed)
    else:  # without a card torch would keep each seed for one, with the stack of its caller: 5 ms and a leak
        torch.default_generator.manual_seed(seed)
    np.random.seed(seed % 2**32)  # numpy takes 32 bits
    random.seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """All global generators start from `seed` inside, and are as they were before outside."""
    states = random_states()
    seed_everything(seed)
    try:
        yield
    finally:
        restore_random_states(states)


def random_states() -> Json:
    """The states of all global generators: torch's CPU and CUDA ones, numpy's, Python's."""
    states: Json = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
    }
    if _cuda_in_use():
        states["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(states: Json) -> None:
    """Puts back what `random_states` took; states of devices that are not here are passed over."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and _cuda_in_use():
        for index, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state, index)
    if "mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["mps"])


def _cuda_in_use() -> bool:
    """Asking for a CUDA state would start CUDA, which costs seconds and forbids a later fork: only if it is started."""
    return torch.cuda.is_available() and torch.cuda.is_initialized()
