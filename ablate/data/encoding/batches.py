"""Recordings opened as seeded batches of windows: the `Dataset` of every encoding study.

Frames stay as they are stored, on the device (or memory-mapped, on the CPU); windows are gathered by index there and
normalised. Batch i of a seed is a function of (seed, i) alone: every variant gets the same batches, and taking up
again needs i only.
"""

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int

from ablate.config import non_default
from ablate.contract import EncodingBatch, EncodingSpec, SessionWindows, Showings, Split
from ablate.data.encoding.chosen import Told, reasons_against
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.notices import notices_of
from ablate.data.encoding.reading.frames import content_hash
from ablate.data.encoding.reading.reader import SessionReader
from ablate.data.encoding.reading.replay import found_showings, given_showings, reader_of_repeats, showings_in_test
from ablate.data.encoding.reading.rows import sent
from ablate.data.encoding.reading.statistics import training_statistics
from ablate.data.encoding.shares import (
    LABELS,
    bins_that_score,
    refuse_an_empty_train,
    valid,
    windows_that_train,
    without_the_repeats,
)
from ablate.data.encoding.split import TRAIN, SessionSplit, split_sessions
from ablate.data.encoding.stream import Asked, TrainingStream
from ablate.data.encoding.window import sweep_windows
from ablate.data.recording import Recording
from ablate.data.recording.resample import refuse_other_rates
from ablate.errors import AblateError

Array = np.ndarray


class EncodingDataset:
    """Opened recordings, split, on their device. Raises AblateError where a split of a session is empty."""

    def __init__(
        self,
        recordings: tuple[Recording, ...],
        config: EncodingDataConfig,
        *,
        device: torch.device,
        content: str | None = None,
        told: tuple[Told, ...] = (),
    ):
        """content: hash of the recordings where it is known without reading them (the cache's key). told: what files
        say of each recording's units."""
        _names_differ(recordings)
        refuse_other_rates(recordings)
        self.recordings, self.config = recordings, config
        self.splits = without_the_repeats(split_sessions(recordings, config.split, config.history), recordings, config)
        refuse_an_empty_train(recordings, self.splits, config)
        self.statistics = tuple(map(training_statistics, recordings, self.splits))
        told = told or tuple(Told() for _ in recordings)
        self.reasons = tuple(
            reasons_against(recording, statistics.mean_rate, config.chosen_units, one)
            for recording, statistics, one in zip(recordings, self.statistics, told, strict=True)
        )
        self.not_asked = tuple(np.array([bool(reason) for reason in reasons]) for reasons in self.reasons)
        silent = map(self._too_few_in_train, recordings, self.splits)
        self.left_out = tuple(few | unasked for few, unasked in zip(silent, self.not_asked, strict=True))
        self.spec: EncodingSpec = self._spec()
        self.training_ends = windows_that_train(recordings, self.splits, config, self.spec.lags)
        self._bins = {name: bins_that_score(name, recordings, self.splits, config) for name in LABELS}
        self.fingerprint: str = self._fingerprint(content)
        self._readers = self._reading(device)
        self._shown = tuple(self._showings_of(session) for session in range(len(recordings)))
        self._refuse_fev_without_repeats()

    @property
    def notices(self) -> tuple[str, ...]:
        """What is no fault of the data, but should be known before their scores are believed."""
        silent = [out & ~unasked for out, unasked in zip(self.left_out, self.not_asked, strict=True)]
        told = notices_of(self.recordings, self.splits, silent, self.config)
        unused = [
            f"{one.name}: of {one.units} units, {', '.join(f'{count} {why}' for why, count in against.items())}"
            for one, reasons in zip(self.recordings, self.reasons, strict=True)
            if (against := Counter(reason for reason in reasons if reason))
        ]
        return (*told, *unused)

    # -------------------------------------------------------------- the contract

    def train(self, *, seed: int, batch_size: int) -> "TrainingStream":
        """The endless order of training batches of a seed."""
        return TrainingStream(self, seed=seed, batch_size=batch_size)

    def sweep(self, split: Split, *, batch_size: int) -> Iterator[EncodingBatch]:
        """Batches that score each bin of a split exactly once."""
        windows: list[tuple[int, int, Array]] = []
        for session, bins in enumerate(self._bins[split]):
            sweep = sweep_windows(bins, self.spec.lags, self.config.score_every)
            windows += [(session, int(end), scores) for end, scores in zip(sweep.ends, sweep.scores, strict=True)]
        for start in range(0, len(windows), batch_size):
            chunk = windows[start : start + batch_size]
            asked = []
            for session in sorted({window[0] for window in chunk}):
                rows = [window for window in chunk if window[0] == session]
                asked.append((session, np.array([row[1] for row in rows]), np.stack([row[2] for row in rows])))
            yield self.batch(asked)

    @property
    def min_spikes(self) -> int:
        """Units with fewer spikes than this in a split's scored bins are left out of its score."""
        return self.config.min_spikes

    @property
    def metric(self) -> str:
        return self.config.metric

    def attainable_accuracy(self, split: Split) -> None:
        """Nothing is labelled."""

    def entry_names(self, split: Split) -> None:
        """Units have numbers."""

    def scored_units(self, split: Split) -> int:
        """Units of all sessions with enough spikes in a split's scored bins to be scored."""
        least, units = max(1, self.config.min_spikes), 0
        for session, (recording, bins) in enumerate(zip(self.recordings, self._bins[split], strict=True)):
            spikes = np.where(self.counted(session, bins), np.asarray(recording.spikes[bins], np.float64), 0.0)
            units += int(np.count_nonzero(spikes.sum(0) >= least))
        return units

    def scored_hash(self, split: Split) -> str:
        """Hash of the (session, bin, unit) entries that a split scores, and of who is left out for too few spikes."""
        digest = hashlib.sha256(f"min_spikes {self.config.min_spikes}".encode())
        for session, (recording, bins) in enumerate(zip(self.recordings, self._bins[split], strict=True)):
            digest.update(f"\n{recording.name} {len(bins)} {recording.units} ".encode())
            digest.update(bins.astype("<i8").tobytes())
            digest.update(np.packbits(self.counted(session, bins)).tobytes())
        return digest.hexdigest()

    def attainable(self, split: Split) -> tuple[Array, ...] | None:
        """Nats that the true rates gain over the null on exactly the scored bins, (u,) a session; None if not known.

        sum_bins [(y ln p - p) - (y ln r0 - r0)], p the true rate, r0 the training split's mean.
        """
        return self._gains(split, tuple(recording.rates for recording in self.recordings))

    def floor(self, split: Split) -> tuple[Array, ...] | None:
        """The same gains of the rates that a world without receptive fields would have; None if not known."""
        return self._gains(split, tuple(recording.floor_rates for recording in self.recordings))

    def _gains(self, split: Split, known: tuple[Array | None, ...]) -> tuple[Array, ...] | None:
        gains = []
        parts = zip(self.recordings, known, self.statistics, self._bins[split], strict=True)
        for session, (recording, mine, statistics, bins) in enumerate(parts):
            if mine is None:
                return None
            spikes = np.asarray(recording.spikes[bins], np.float64)
            rates = np.maximum(np.asarray(mine[bins], np.float64), np.finfo(np.float64).tiny)
            gain = spikes * np.log(rates / statistics.mean_rate) - rates + statistics.mean_rate
            gains.append(np.where(self.counted(session, bins), gain, 0.0).sum(0))
        return tuple(gains)

    def showings(self) -> tuple[Showings, ...]:
        """Repeats given as `repeats.npy`, or else found in the test split."""
        return tuple(one for one in self._shown if one is not None)

    def sweep_showings(self, showings: Showings, *, batch_size: int) -> Iterator[EncodingBatch]:
        """Batches that hold each bin of the showings, of every phase, at least once."""
        if showings.bins is None:
            return
        reader = self._readers[showings.session]
        if showings.source == "repeats.npy":
            reader = reader_of_repeats(reader)
        sweep = sweep_windows(np.unique(showings.bins), self.spec.lags, self.config.score_every)
        for start in range(0, len(sweep.ends), batch_size):
            part = slice(start, start + batch_size)
            (rows,) = sent([reader.inputs.rows(sweep.ends[part], self.spec.lags, sweep.scores[part])], reader.device)
            yield EncodingBatch((reader.windows(rows),), self.spec.lags)

    def to(self, device: torch.device) -> "EncodingDataset":
        """The same data on another device."""
        moved = copy.copy(self)
        moved._readers = self._reading(device)
        return moved

    def counted(self, session: int, bins: Int[np.ndarray, " n"]) -> Array:
        """(n, u): which units count in which bins of a session."""
        return valid(self.recordings[session], bins) & ~self.left_out[session]

    def bins(self, split: Split) -> tuple[Array, ...]:
        """Frames that a split scores, one array a session."""
        return self._bins[split]

    @property
    def training_windows(self) -> tuple[int, ...]:
        """Different windows that training can draw, one number a session."""
        return tuple(map(len, self.training_ends))

    # -------------------------------------------------------------- windows

    def windows(self, session: int, ends: Int[np.ndarray, " b"]) -> SessionWindows:
        """Windows of a session by their newest frame."""
        return self.batch([(session, ends, None)]).sessions[0]

    def batch(self, asked: Sequence[Asked]) -> EncodingBatch:
        """Windows of one or more sessions, their indices sent to the device in one copy."""
        readers = [self._readers[session] for session, _, _ in asked]
        rows = [
            reader.inputs.rows(ends, self.spec.lags, scores)
            for reader, (_, ends, scores) in zip(readers, asked, strict=True)
        ]
        there = sent(rows, readers[0].device)
        windows = (reader.windows(part) for reader, part in zip(readers, there, strict=True))
        return EncodingBatch(tuple(windows), self.spec.lags)

    # -------------------------------------------------------------- set up

    def _reading(self, device: torch.device) -> tuple[SessionReader, ...]:
        parts = zip(self.recordings, self.statistics, self.left_out, self.splits, strict=True)
        return tuple(
            SessionReader(session, recording, statistics, self.config, left_out=left_out, split=split, device=device)
            for session, (recording, statistics, left_out, split) in enumerate(parts)
        )

    def _refuse_fev_without_repeats(self) -> None:
        known = {one.session for one in self.showings() if one.bins is not None}
        without = [one.name for session, one in enumerate(self.recordings) if session not in known]
        if self.config.metric == "fev" and without:
            what = f"{without[0]} shows no stimulus twice in its test split, and has no repeats.npy with its stimulus"
            raise AblateError(what, where="metric", hint="FEV needs repeats; write `metric: correlation`")

    def _too_few_in_train(self, recording: Recording, split: SessionSplit) -> Array:
        """(u,) units with too few training spikes for a null: their score would be that of the null."""
        train = np.flatnonzero(split.label == TRAIN)
        spikes = np.where(valid(recording, train), np.asarray(recording.spikes[train], np.float64), 0.0)
        return np.asarray(spikes.sum(0) < max(1, self.config.min_spikes))

    def _spec(self) -> EncodingSpec:
        of = zip(self.recordings, self.statistics, strict=True)
        return self.config.spec_of(tuple(one.session_spec(tuple(known.mean_rate.tolist())) for one, known in of))

    def _showings_of(self, session: int) -> Showings | None:
        recording, history = self.recordings[session], self.config.history
        if recording.repeats is not None:
            return given_showings(session, recording, self.left_out[session], history)
        table = showings_in_test(self.splits[session], history)
        return None if table is None else found_showings(session, recording, table, self.counted)

    def _fingerprint(self, content: str | None) -> str:
        fields = non_default(self.config, locations=False)
        chosen = self.config.chosen_units
        if chosen.file is not None or chosen.quality is not None:  # what files say is content, where they lie is not
            fields["used"] = [np.flatnonzero(~unasked).tolist() for unasked in self.not_asked]
        digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
        parts = [content] if content is not None else [content_hash(recording) for recording in self.recordings]
        for part in parts:
            digest.update(part.encode())
        return digest.hexdigest()


def _names_differ(recordings: tuple[Recording, ...]) -> None:
    names = [recording.name for recording in recordings]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        hint = "give each its own `name` in recording.yaml"
        raise AblateError(f"more than one recording is named {twice[0]}", where="data.path", hint=hint)
