"""A fitted model as a callable: stimulus and behaviour of one recording in, expected spikes of every bin and unit out.

    rate[t, u] = exp(model(window that ends at t or up to `window - warmup` frames later))[u]

Windows are laid as in the test: newest first, each read at all its scored lags, so that a bin has at least `warmup` and
at most `window` frames of history. The first `window - 1` bins of a recording (or of a trial) have too little, and are
NaN. Causal as the model is: the window may reach beyond the bin, the model does not look there. A model with spike
history is given the counts that came before each bin: its rates are not those of the stimulus alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ablate.contract import EncodingBatch, Model, PastSpikes, SessionWindows, Target
from ablate.contract.past import ReadPast
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.reading.frames import FrameStore
from ablate.data.encoding.reading.inputs import WindowInputs
from ablate.data.encoding.reading.past import CountReader
from ablate.data.encoding.reading.rows import sent
from ablate.data.encoding.split.whole_trials import run_starts
from ablate.data.encoding.window import sweep_windows
from ablate.data.recording import Recording
from ablate.errors import AblateError
from ablate.model.encoder import Encoder
from ablate.model.glm import Glm
from ablate.model.modulator.none import NoModulator
from ablate.recipe import Configuration
from ablate.result.picture import ReadoutPicture
from ablate.study.fitted.facts import ModelFacts
from ablate.study.fitted.fields import glm_filters, glms, receptive_fields
from ablate.study.fitted.given import Asks, check_rate, given_recording, mark_of_bins
from ablate.study.picture.kernels import frontend_kernels
from ablate.study.picture.readouts import readout_pictures
from ablate.training.device import autocast
from ablate.training.evaluate import EVALUATION_SEED, evaluating
from ablate.training.likelihood import likelihood_of
from ablate.training.seed import seeded

AT_ONCE = 32
"""Windows of a forward pass. Fixed: the last bits of a sum depend on it."""


class FittedModel(nn.Module):
    """A run's model with its fitted weights.

    facts: which run, its sessions, its configuration. network: the module as it was trained, on batches of windows.
    """

    def __init__(self, network: Model, facts: ModelFacts, configuration: Configuration):
        super().__init__()
        self.network, self.facts, self.configuration = network, facts, configuration
        self.eval()

    @property
    def sessions(self) -> tuple[str, ...]:
        """Names of the recordings that it was fitted to, each with a readout of its own."""
        return tuple(session.name for session in self.facts.sessions)

    @property
    def data(self) -> EncodingDataConfig:
        """How windows, behaviour and splits were set."""
        assert isinstance(self.configuration.data, EncodingDataConfig), "only models of spikes are opened"
        return self.configuration.data

    @property
    def reads_behavior(self) -> bool:
        """Whether its rates depend on behaviour, as far as is known: a model of one's own is taken to read it."""
        if self.data.behavior in ("none", "constant") or not any(one.behaviors for one in self.facts.sessions):
            return False
        if isinstance(self.network, Encoder):
            return not isinstance(self.network.modulator, NoModulator)
        return not isinstance(self.network, Glm) or any(one.behavior_lags for one in glms(self.network))

    @property
    def reads_spikes(self) -> bool:
        """Whether a bin's rate depends on the spikes before it."""
        return self.network.reads_spikes > 0

    @torch.no_grad()
    def forward(
        self,
        stimulus: ArrayLike,
        behavior: ArrayLike | None = None,
        *,
        spikes: ArrayLike | None = None,
        valid: ArrayLike | None = None,
        split: ArrayLike | None = None,
        trials: ArrayLike | None = None,
        session: str | int | None = None,
        bin_rate_hz: float | None = None,
    ) -> Tensor:
        """Rates (t, u): expected spikes a bin, float32 on the CPU; NaN in the first `window - 1` bins.

        stimulus: (t, h, w), in the values of the session's own stimulus.npy. behavior: (t, k), row t measured during
        bin t; needed where `reads_behavior`. spikes: (t, u) counts, row t of bin t; needed where `reads_spikes`; those
        not `valid` (t, u) count as the mean, and so do those of another `split` (t,) than the bin's, as in the test.
        trials: (t,) int, windows then never reach from one trial into the next.
        session: whose readout, by name or number; needed where there are several. bin_rate_hz: of the stimulus; another
        than the model's is refused.

        Raises AblateError for other shapes, another rate, missing behaviour, and values that are not finite.
        """
        number = self.session_number(session)
        facts = self.facts.sessions[number]
        check_rate(facts, bin_rate_hz)
        asks = Asks(self.facts.window, self.reads_behavior, self.data.behavior == "constant", self.network.reads_spikes)
        recording = given_recording(asks, facts, stimulus, behavior, spikes, valid)
        frames = recording.frames
        starts = np.zeros(frames, np.int64) if trials is None else run_starts(mark_of_bins("trials", trials, frames))
        label = np.zeros(frames, np.int64) if split is None else mark_of_bins("split", split, frames)
        return self._rates(recording, starts, label, number)

    def session_number(self, session: str | int | None) -> int:
        """Raises AblateError for a session that is not among those of the run."""
        if session is None and len(self.sessions) == 1:
            return 0
        if isinstance(session, str) and session in self.sessions:
            return self.sessions.index(session)
        if isinstance(session, int) and 0 <= session < len(self.sessions):
            return session
        known = ", ".join(self.sessions)
        if session is None:
            what = f"the model was fitted to {len(self.sessions)} sessions, each with units of its own"
            raise AblateError(what, where="session", hint=f"name one: {known}")
        raise AblateError(f"the model knows no session {session!r}", where="session", hint=f"its sessions are {known}")

    # ------------------------------------------------------------------ what it has learnt, as arrays

    def filters(self, session: str | int | None = None) -> np.ndarray:
        """Temporal kernels of an encoder's frontend, (c, lag), or a GLM's filters (u, lag, h, w), newest lag first.

        Raises AblateError for a model that has neither.
        """
        number = self.session_number(session)
        found = glm_filters(self.network, number)
        if found is None:
            kernels = frontend_kernels(self.network)
            found = None if kernels is None else kernels.numpy()
        if found is None:
            hint = "`receptive_fields()` gives the gradient of any model"
            raise AblateError(f"a model of type {self.configuration.model.type} has no filters", hint=hint)
        return found

    def receptive_fields(self, session: str | int | None = None) -> np.ndarray:
        """(u, window, h, w), newest frame first: the gradient of each unit's log-rate by the pixels, at the mean
        stimulus and mean behaviour, a unit of the stimulus file's own values. Exact for a GLM; for a network its linear
        part at that point."""
        number = self.session_number(session)
        facts = self.facts.sessions[number]
        with evaluating(self.network), seeded(EVALUATION_SEED):
            return receptive_fields(self.network, self._mean_window(number), self._lags) / facts.stimulus_std

    def dispersions(self, session: str | int | None = None) -> np.ndarray:
        """(u,) of the negative binomial that the model was trained by: counts vary by m + a m^2.

        Raises AblateError for a model that was trained by Poisson's likelihood.
        """
        found = likelihood_of(self.network)
        if found is None:
            hint = "`training: {loss: negative_binomial}` learns them"
            raise AblateError("the model was trained by the Poisson likelihood, which has no dispersions", hint=hint)
        return np.asarray(found.dispersion(self.session_number(session)).detach().double().cpu().numpy())

    def readout_positions(self, session: str | int | None = None) -> dict[str, np.ndarray]:
        """Where each unit reads: `row`, `col` (u) and deviations `row_std`, `col_std` (u) in stimulus coordinates, -1
        to 1 from edge to edge, and `angle` (u) in radians. Raises AblateError for readouts that know no place."""
        name = self.sessions[self.session_number(session)]
        spec = self.facts.spec(behavior=True)
        with torch.no_grad():
            found: Sequence[ReadoutPicture] = readout_pictures(self.network, spec, None)
        for one in found:
            if one.session == name:
                names = {"row": one.rows, "col": one.cols, "row_std": one.row_std, "col_std": one.col_std}
                return {key: np.array(values) for key, values in {**names, "angle": one.angle}.items()}
        raise AblateError("the readout of this model knows no place")

    # ------------------------------------------------------------------ rates

    @property
    def _lags(self) -> tuple[int, ...]:
        return self.facts.spec(behavior=True).lags

    def _rates(
        self, recording: Recording, starts: Int[np.ndarray, " t"], label: Int[np.ndarray, " t"], session: int
    ) -> Tensor:
        config, device = self.data, self.network.device
        facts = self.facts.sessions[session]
        store, statistics = FrameStore(recording, device), facts.statistics()
        past = CountReader(store, statistics, np.ones(facts.units, bool), starts, label, device)
        inputs = WindowInputs(
            store,
            statistics,
            config,
            behaves=recording.behavior is not None,
            starts=starts,
            device=device,
        )
        rates = torch.full((recording.frames, facts.units), torch.nan)
        bins = np.flatnonzero(np.arange(recording.frames) - starts >= self.facts.window - 1)
        sweep = sweep_windows(bins, self._lags, self.facts.score_every)
        precision = self.configuration.training.precision
        with evaluating(self.network), seeded(EVALUATION_SEED):
            for first in range(0, len(sweep.ends), AT_ONCE):
                ends, scores = sweep.ends[first : first + AT_ONCE], sweep.scores[first : first + AT_ONCE]
                met = ends[:, None] - np.array(self._lags)
                (rows,) = sent([inputs.rows(ends, self._lags)], device)
                before = PastSpikes(rows.bins, past)
                batch = _batch(session, inputs.stimulus(rows), inputs.behavior(rows), self._lags, facts.units, before)
                with autocast(device, precision):
                    (log_rates,) = self.network(batch)
                rates[met[scores]] = log_rates.float().exp().cpu()[torch.as_tensor(scores)]
        return rates

    def _mean_window(self, session: int) -> EncodingBatch:
        facts, device = self.facts.sessions[session], self.network.device
        stimulus = torch.zeros(1, 1, self.facts.window, facts.height, facts.width, device=device)
        behaves = self.data.behavior != "none" and facts.behaviors
        behavior = torch.zeros(1, self.facts.window, facts.behaviors, device=device) if behaves else None
        past = PastSpikes(
            torch.zeros(1, len(self._lags), dtype=torch.int64, device=device), _mean_past(facts.units, device)
        )
        return _batch(session, stimulus, behavior, self._lags, facts.units, past)


def _batch(
    session: int,
    stimulus: Float[Tensor, "b 1 t h w"],
    behavior: Float[Tensor, "b t k"] | None,
    lags: tuple[int, ...],
    units: int,
    past: PastSpikes,
) -> EncodingBatch:
    """Windows without targets."""
    nothing = torch.zeros(stimulus.shape[0], len(lags), units, device=stimulus.device)
    target = Target(session, nothing, nothing.bool())
    return EncodingBatch((SessionWindows(session, stimulus, behavior, target, past),), lags)


def _mean_past(units: int, device: torch.device) -> ReadPast:
    """Every count as its mean."""
    return lambda bins, count: torch.zeros(*bins.shape, count, units, device=device)
