"""One run and its curve, for every logger; nothing leaves this machine."""

import pytest

from ablate.logger import LoggedRun, Point, RunEnd


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    for name, value in {"DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"}.items():
        monkeypatch.setenv(name, value)
    for name in ("MLFLOW_TRACKING_URI", "WANDB_DIR", "WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run() -> LoggedRun:
    tags = {"study": "little", "variant": "p1+p2", "seed": "3", "key": "ab" * 10}
    parameters = {"model.core.type": "vivit", "model.core.dropout": 0.1, "training.steps": 4, "data.window": "[1, 2]"}
    return LoggedRun("ab" * 10, "little", "p1+p2", "p1+p2 seed 3", tags, parameters)


@pytest.fixture
def curve() -> list[Point]:
    points = [Point(step, {"train/loss": 1 / step, "train/lr": 1e-3 * step}) for step in (1, 2, 3, 4)]
    points[3] = Point(4, {**points[3].numbers, "validation/score": 0.123456789})
    return points


@pytest.fixture
def end() -> RunEnd:
    numbers = {"final/test": 0.25, "final/validation": 0.3, "usage/seconds": 12.5, "gain/p1+p2": 0.01}
    return RunEnd("done", 4, numbers, {"verdict/p1+p2": "helps"})
