"""Spike history and coupling: against a plain sum over lags, a Poisson regression of scipy's, and known filters."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from ablate.contract import EncodingBatch, EncodingSpec, PastSpikes, SessionSpec, SessionWindows, Target
from ablate.errors import AblateError
from ablate.model import EncoderConfig, GlmConfig
from ablate.model.cost import describe
from ablate.model.history import HistoryConfig, SessionHistory

MODELS = {
    "glm": {"type": "glm", "lags": 3},
    "encoder": {
        "adapter": {"type": "none"},
        "frontend": {"type": "none"},
        "core": {"type": "resnet", "channels": [2, 2, 2], "stem_stride": [1, 1, 1], "squeeze_excite": [0, 0]},
        "modulator": {"type": "none"},
        "readout": {"type": "pooled"},
    },
}


def model_of(kind: str, history: dict[str, Any], *, units: int = 2, sessions: int = 1, window: int = 12) -> Any:
    spec = spec_of(units, sessions, window)
    config = {"glm": GlmConfig, "encoder": EncoderConfig}[kind].model_validate({**MODELS[kind], "history": history})
    torch.manual_seed(0)
    return config.build(spec), spec


def spec_of(units: int, sessions: int = 1, window: int = 12) -> EncodingSpec:
    each = tuple(SessionSpec(f"s{i}", 4, 4, units + i, 0, 100.0, (0.3,) * (units + i)) for i in range(sessions))
    return EncodingSpec(each, window=window, score_every=2, warmup=4)


def counts_reader(counts: torch.Tensor) -> Any:
    """Past counts of one recording as they are, nothing before its first bin."""

    def read(bins: torch.Tensor, count: int) -> torch.Tensor:
        before = bins[:, :, None] - torch.arange(1, count + 1)
        return torch.where((before >= 0)[..., None], counts[before.clamp(min=0)], 0.0)

    return read


def windows_of(spec: EncodingSpec, counts: torch.Tensor, ends: list[int], session: int = 0) -> SessionWindows:
    generator = torch.Generator().manual_seed(1)
    video = torch.randn(len(counts), 4, 4, generator=generator)
    stimulus = torch.stack([video[end - spec.window + 1 : end + 1] for end in ends])[:, None]
    bins = torch.tensor(ends)[:, None] - torch.tensor(spec.lags)
    values = counts[bins]
    return SessionWindows(
        session, stimulus, None, Target(session, values, values >= 0), PastSpikes(bins, counts_reader(counts))
    )


def fill(model: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))


@pytest.mark.parametrize("coupling", [False, True])
@pytest.mark.parametrize("basis", ["none", "raised_cosine"])
def test_history_adds_the_sum_over_lags_and_units(coupling: bool, basis: str) -> None:
    config = HistoryConfig(lags=5, coupling=coupling, basis=basis, basis_size=3)
    spec = spec_of(3)
    history = SessionHistory(config, spec.sessions[0])
    torch.nn.init.normal_(history.weight)
    counts = torch.poisson(torch.full((60, 3), 0.4))
    windows = windows_of(spec, counts, [20, 40])
    filters = history.filters().detach()
    added = history(windows).detach()
    for row, end in enumerate((20, 40)):
        for n, lag in enumerate(spec.lags):
            for unit in range(3):
                others = range(3) if coupling else [unit]
                expected = sum(
                    float(filters[unit, v if coupling else 0, back - 1] * counts[end - lag - back, v])
                    for v in others
                    for back in range(1, 6)
                )
                assert float(added[row, n, unit]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("coupling", [False, True])
def test_a_rate_depends_on_spikes_of_bins_before_it_alone(kind: str, coupling: bool) -> None:
    """Spikes from bin t on are turned over: rates up to bin t stay to the last bit, later ones move."""
    model, spec = model_of(kind, {"lags": 3, "coupling": coupling})
    fill(model)
    model.eval()
    counts = torch.poisson(torch.full((60, 2), 0.4))
    end = 30
    for lag in spec.lags:
        changed = counts.clone()
        changed[end - lag :] = 1 - changed[end - lag :]
        before, after = (
            model(EncodingBatch((windows_of(spec, one, [end]),), spec.lags))[0] for one in (counts, changed)
        )
        place = spec.lags.index(lag)
        assert torch.equal(before[:, : place + 1], after[:, : place + 1])
        if place + 1 < len(spec.lags):
            assert not torch.equal(before[:, place + 1], after[:, place + 1])


@pytest.mark.parametrize("kind", MODELS)
def test_it_starts_without_effect_and_every_weight_gets_a_gradient(kind: str) -> None:
    model, spec = model_of(kind, {"lags": 4, "coupling": True}, sessions=2)
    without, _ = model_of(kind, {}, sessions=2)
    counts = [torch.poisson(torch.full((60, 2 + i), 2.0)) for i in range(2)]
    batch = EncodingBatch(tuple(windows_of(spec, one, [20, 50], i) for i, one in enumerate(counts)), spec.lags)
    model.eval(), without.eval()
    with torch.no_grad():
        assert all(torch.equal(*pair) for pair in zip(model(batch), without(batch), strict=True))
    sum(rate.exp().sum() for rate in model(batch)).backward()
    for history, units in zip(model.history, (2, 3), strict=True):
        assert history.weight.shape == (units, units, 4)
        assert (history.weight.grad != 0).all()


def test_penalties_are_ridge_and_second_differences() -> None:
    spec = spec_of(2)
    for coupling in (False, True):
        history = SessionHistory(HistoryConfig(lags=6, coupling=coupling, l2=0.3, smoothness=0.7), spec.sessions[0])
        torch.nn.init.normal_(history.weight)
        filters = history.filters()
        expected = (
            0.3 * (filters**2).sum()
            + 0.7 * (filters[..., 2:] - 2 * filters[..., 1:-1] + filters[..., :-2]).pow(2).sum()
        )
        torch.testing.assert_close(history.penalty(), expected)


@pytest.mark.parametrize("kind", MODELS)
def test_the_cost_counts_its_weights_and_a_lint_tells_that_scores_are_conditional(kind: str) -> None:
    spec = spec_of(2, sessions=2)
    config = {"glm": GlmConfig, "encoder": EncoderConfig}[kind]
    own = describe(config.model_validate({**MODELS[kind], "history": {"lags": 5}}), spec)
    coupled = describe(config.model_validate({**MODELS[kind], "history": {"lags": 5, "coupling": True}}), spec)
    none = describe(config.model_validate(MODELS[kind]), spec)
    assert (own.parts["history"], coupled.parts["history"]) == (5 * (2 + 3), 5 * (4 + 9))
    assert (
        coupled.total_parameters - none.total_parameters
        == 5 * (4 + 9)
        == sum(coupled.parts.values()) - sum(none.parts.values())
    )
    assert coupled.flops["history"] > own.flops["history"] > 0
    assert "history" not in none.parts
    assert (none.reads_spikes, own.reads_spikes) == (0, 5)
    assert any("scores are conditional on spikes" in lint for lint in own.lints)
    assert not any("conditional" in lint for lint in none.lints)


def test_data_without_past_spikes_are_refused() -> None:
    model, spec = model_of("glm", {"lags": 2})
    windows = windows_of(spec, torch.zeros(40, 2), [20])
    windows.past = None
    with pytest.raises(AblateError, match="the data give no spikes of before a bin"):
        model(EncodingBatch((windows,), spec.lags))


def test_a_model_of_ones_own_must_say_that_it_reads_spikes() -> None:
    class Undeclared(GlmConfig):
        def build(self, spec: Any) -> Any:
            model = super().build(spec)
            model.reads_spikes = 0
            return model

    with pytest.raises(AblateError, match="reads spikes of 6 bins before a bin, and its `reads_spikes` says 0"):
        describe(Undeclared(history=HistoryConfig(lags=6)), spec_of(2))


def simulated(bins: int, own: np.ndarray, coupled: np.ndarray, base: float) -> np.ndarray:
    """Two units: each with the history filter `own`; the second excites the first by `coupled`."""
    random = np.random.default_rng(0)
    counts, lags = np.zeros((bins, 2)), len(own)
    for t in range(bins):
        past = counts[max(t - lags, 0) : t][::-1]
        drive = base + own[: len(past)] @ past
        drive[0] += coupled[: len(past)] @ past[:, 1]
        counts[t] = random.poisson(np.exp(drive))
    return counts


def test_known_filters_are_found_and_are_those_of_a_poisson_regression() -> None:
    """A GLM without stimulus, 8,000 bins: refractory after a spike, excited by its neighbour. scipy fits the same
    regressors, laid out as one design matrix."""
    own, coupled = np.array([-2.0, -1.0, -0.3]), np.array([0.8, 0.4, 0.0])
    counts = simulated(8_000, own, coupled, np.log(0.4))
    design = np.concatenate([np.ones((len(counts) - 3, 1)), *(counts[3 - lag : -lag] for lag in (1, 2, 3))], axis=1)
    fitted = [
        minimize(
            lambda w, y=y: (np.exp(design @ w) - y * (design @ w)).mean(),
            np.zeros(7),
            jac=lambda w, y=y: design.T @ (np.exp(design @ w) - y) / len(y),
        )
        .x[1:]
        .reshape(3, 2)
        .T  # v lag
        for y in counts[3:].T
    ]
    model, _ = model_of("glm", {"lags": 3, "coupling": True}, window=5)
    model.requires_grad_(False)
    trained = [model.history[0].weight.requires_grad_(), model.filters[0].offset.requires_grad_()]
    spikes = torch.as_tensor(counts, dtype=torch.float32)
    bins = torch.arange(3, len(counts))[:, None]
    values = spikes[bins]
    windows = SessionWindows(
        0,
        torch.zeros(len(bins), 1, 5, 4, 4),
        None,
        Target(0, values, values >= 0),
        PastSpikes(bins, counts_reader(spikes)),
    )
    optimizer = torch.optim.LBFGS(trained, max_iter=60, line_search_fn="strong_wolfe", tolerance_change=1e-12)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        (log_rate,) = model(EncodingBatch((windows,), (0,)))
        total = (log_rate.exp() - values * log_rate).mean()
        total.backward()
        return total

    optimizer.step(loss)
    filters = model.history[0].filters().detach().numpy()
    np.testing.assert_allclose(filters, np.array(fitted), atol=5e-3)
    np.testing.assert_allclose(filters[[0, 1], [0, 1]], [own, own], atol=0.25)
    np.testing.assert_allclose(filters[0, 1], coupled, atol=0.25)
    np.testing.assert_allclose(filters[1, 0], 0, atol=0.25)
