"""What `ablate data info PATH` tells of opened data: rates, spikes, split sizes, repeats and behaviour."""

from dataclasses import dataclass

import numpy as np

from ablate.contract import Split
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.split import TEST, TRAIN, UNUSED, VALIDATION


@dataclass(frozen=True)
class UnitInfo:
    """rate_hz: over all valid bins. spikes: in all; test_spikes: in the scored bins of test. excluded: fewer test
    spikes than `min_spikes`. valid: share of bins in which the unit counts. attainable: bits/spike of the true rates
    on test, if known."""

    rate_hz: float
    spikes: int
    test_spikes: int
    excluded: bool
    valid: float
    attainable: float | None


@dataclass(frozen=True)
class SessionInfo:
    """frames of each split (guards and gaps are `unused`); scored: scored bins; repeated: frames shown before;
    dropped: bins not scored because their stretch was met by chance in another split."""

    name: str
    bin_rate_hz: float
    shape: tuple[int, int, int]
    dtype: str
    units: tuple[UnitInfo, ...]
    frames: dict[str, int]
    scored: dict[str, int]
    training_windows: int
    repeated: int
    dropped: int
    behaviors: tuple[str, ...]
    notes: dict[str, str]


@dataclass(frozen=True)
class DataInfo:
    """All sessions, and the hashes that a study stores."""

    summary: str
    fingerprint: str
    scored_hash: dict[str, str]
    sessions: tuple[SessionInfo, ...]


def data_info(data: EncodingDataset) -> DataInfo:
    """Counts."""
    splits: tuple[Split, ...] = ("validation", "test")
    return DataInfo(
        summary=data.config.summary(),
        fingerprint=data.fingerprint,
        scored_hash={split: data.scored_hash(split) for split in splits},
        sessions=tuple(_session_info(data, index) for index in range(len(data.recordings))),
    )


def _session_info(data: EncodingDataset, index: int) -> SessionInfo:
    recording, split = data.recordings[index], data.splits[index]
    names = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "unused": UNUSED}
    columns = recording.behavior_names or tuple(f"behavior_{column}" for column in range(recording.behaviors))
    frames, height, width = recording.stimulus.shape
    return SessionInfo(
        name=recording.name,
        bin_rate_hz=recording.bin_rate_hz,
        shape=(frames, height, width),
        dtype=str(recording.stimulus.dtype),
        units=_unit_infos(data, index),
        frames={name: int(np.count_nonzero(split.label == label)) for name, label in names.items()},
        scored={"validation": len(data.bins("validation")[index]), "test": len(data.bins("test")[index])},
        training_windows=data.training_windows[index],
        repeated=split.repeated,
        dropped=split.dropped,
        behaviors=columns,
        notes={key: str(value) for key, value in recording.notes.items()},
    )


def _unit_infos(data: EncodingDataset, index: int) -> tuple[UnitInfo, ...]:
    recording, bins = data.recordings[index], data.bins("test")[index]
    spikes = np.asarray(recording.spikes, np.float64)
    valid = np.ones(spikes.shape, bool) if recording.valid is None else np.asarray(recording.valid)
    counted = np.where(valid, spikes, 0.0)
    rate = counted.sum(0) / np.maximum(valid.sum(0), 1) * recording.bin_rate_hz
    test = counted[bins].sum(0)
    gains = data.attainable("test")
    bits = None if gains is None else gains[index] / np.log(2) / np.maximum(test, 1)
    return tuple(
        UnitInfo(
            rate_hz=float(rate[unit]),
            spikes=int(counted[:, unit].sum()),
            test_spikes=int(test[unit]),
            excluded=bool(test[unit] < data.config.min_spikes),
            valid=float(valid[:, unit].mean()),
            attainable=None if bits is None else float(bits[unit]),
        )
        for unit in range(recording.units)
    )
