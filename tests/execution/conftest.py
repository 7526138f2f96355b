"""The jobs of these tests are functions of `execution_work`, importable in the processes that they run in."""

import sys
from pathlib import Path

import pytest

from ablate.execution import Job, Outcome, Settings, Stop, execute

sys.path.insert(0, str(Path(__file__).parent))

WORK = "execution_work:act"


@pytest.fixture
def run(tmp_path):
    """Runs jobs given as name=payload and gives the outcomes by name."""

    def run(how: Settings, stop: Stop | None = None, on_event=None, **payloads: dict) -> dict[str, Outcome]:
        jobs = [Job(name, payload) for name, payload in payloads.items()]
        outcomes = list(execute(jobs, WORK, how, logs=tmp_path / "logs", stop=stop, on_event=on_event))
        assert len({outcome.key for outcome in outcomes}) == len(outcomes)
        return {outcome.key: outcome for outcome in outcomes}

    return run
