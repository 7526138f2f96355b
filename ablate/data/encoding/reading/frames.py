"""One recording's rows by index, as tensors: gathered from memory maps on the CPU, from device memory elsewhere."""

import hashlib

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ablate.data.recording import Recording
from ablate.data.recording.array_file import let_go
from ablate.data.recording.session import OPTIONAL, REPEATED

Array = np.ndarray
Index = Int[Tensor, "b t"]

HASH_BYTES = 1 << 24  # rows are hashed in pieces of 16 MB


class FrameStore:
    """Rows (b, t) of each array of a recording, float32 but for `valid`, by indices on the device. Stimulus keeps its
    stored type until gathered."""

    def __init__(self, recording: Recording, device: torch.device):
        self._device, self._units = device, recording.units
        self._stimulus = self._placed(recording.stimulus)
        self._spikes = self._placed(np.asarray(recording.spikes, np.float32))
        self._behavior = None if recording.behavior is None else self._placed(recording.behavior)
        self._valid = None if recording.valid is None else self._placed(recording.valid)

    def stimulus(self, index: Index) -> Float[Tensor, "b t h w"]:
        return self._rows(self._stimulus, index).to(torch.float32, copy=True)  # a copy: the caller works in place

    def spikes(self, index: Index) -> Float[Tensor, "b n u"]:
        return self._rows(self._spikes, index)

    def behavior(self, index: Index) -> Float[Tensor, "b t k"]:
        if self._behavior is None:
            raise ValueError("this recording has no behaviour")
        return self._rows(self._behavior, index).to(torch.float32)

    def valid(self, index: Index) -> Bool[Tensor, "b n u"]:
        if self._valid is None:
            return torch.ones((*index.shape, self._units), dtype=torch.bool, device=self._device)
        return self._rows(self._valid, index)

    def _placed(self, array: Array) -> Array | Tensor:
        """As it is on the CPU (memory maps are shared by all processes), copied once to any other device."""
        return array if self._device.type == "cpu" else torch.from_numpy(np.array(array)).to(self._device)

    def _rows(self, array: Array | Tensor, index: Index) -> Tensor:
        if isinstance(array, Tensor):
            return array[index]
        return torch.from_numpy(np.asarray(array[index.numpy()]))


def content_hash(recording: Recording) -> str:
    """Hash of everything that can change a score: arrays with their shapes, name and bin rate."""
    digest = hashlib.blake2b(f"{recording.name} {recording.bin_rate_hz!r}".encode(), digest_size=32)
    for name, part in recording.arrays("stimulus", "spikes", *OPTIONAL, *REPEATED):
        digest.update(f"\n{name} {part.dtype.str} {part.shape} ".encode())
        step = max(1, HASH_BYTES // max(1, part.nbytes // len(part)))
        for start in range(0, len(part), step):
            digest.update(np.ascontiguousarray(part[start : start + step]).data)
        let_go(part)
    return digest.hexdigest()
