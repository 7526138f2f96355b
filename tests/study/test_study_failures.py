"""What runs do to themselves, through the whole program: each failure is recorded and told, and the others finish."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_study import BASELINE, request_of, write_recipe

from ablate.cli.command.run import run_recipe
from ablate.cli.screen import outcome
from ablate.result import Store
from ablate.study import flow

PATCH = """\
  {name}:
    title: {name}
    frontend:
      type: import
      target: misbehaving:Frontend
      params: {{gain: {gain}, does: {name}, marker: "{marker}"}}
"""
ACTS = ("wrong", "hang", "memory_once", "gpu_memory", "killed")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A study of well-behaved runs and five that are not: its request, exit code, store and what was said."""
    folder = tmp_path_factory.mktemp("failures")
    patches = "".join(PATCH.format(name=act, gain=1.1 + i / 10, marker=folder / act) for i, act in enumerate(ACTS))
    frontend = "frontend: {type: import, target: misbehaving:Frontend, params: {gain: 1.0}}"
    recipe = write_recipe(
        folder, baseline=BASELINE.replace("frontend: {type: none}", frontend), patches="patches:\n" + patches
    )
    request = request_of(recipe, folder / "the results", inline=False, workers=2, run_timeout=8.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(Path(__file__).parent)
        real = flow.settings_of
        patched.setattr(flow, "settings_of", lambda *given: replace(real(*given), grace=0.5))
        said: list[str] = []
        patched.setattr(outcome, "say", said.append)
        codes = [run_recipe(request)]
        trained = len(said)
        codes.append(run_recipe(request))
    return request, codes, Store(request.out / "tiny"), said[:trained], said[trained:]


def test_every_run_is_recorded_with_why_and_its_configuration(told):
    *_, store, _, _ = told
    records = [record for record in store.records() if record.variant != "glm"]
    reasons = {record.variant: (record.state, record.reason) for record in records}
    assert reasons == {
        "baseline": ("done", ""),
        "memory_once": ("done", ""),  # out of memory, then once more alone
        "wrong": ("failed", "ValueError: a bug in a user's part"),
        "hang": ("failed", "ran longer than 8 s"),
        "gpu_memory": (
            "failed",
            "out of memory, also when run alone (OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB)",
        ),
        "killed": ("failed", "killed by SIGKILL, also when run alone (often the system's out-of-memory killer)"),
    }
    for record in records:
        does = record.config["model"]["frontend"]["params"].get("does", "baseline")
        assert does == record.variant
        assert record.environment["packages"]["torch"]


def test_a_failed_run_keeps_its_last_log_lines(told):
    *_, store, _, _ = told
    logs = {record.variant: store.log(record.key) for record in store.records()}
    assert logs["hang"].splitlines()[-1] == "the part waits for an answer"
    assert "Traceback" in logs["wrong"]
    assert logs["wrong"].splitlines()[-1] == "ValueError: a bug in a user's part"


def test_every_failure_is_told_with_the_command_that_tries_it_again(told):
    request, codes, _, said, again = told
    assert codes == [1, 1]  # asked again, nothing is trained and the failures are told again
    command = f"ablate run {request.recipe} --out '{request.out}' --device cpu --workers 2 --run-timeout 8 --retry all"
    for lines in (said, again):
        for act in ("wrong", "hang", "gpu_memory", "killed"):
            assert any(line.startswith(f"failed: {act} seed 0: ") for line in lines)
        assert f"try these again: {command}" in lines
    assert said[0].startswith("3 runs trained, 0 kept from before")
    assert len(again) == 5


def test_nothing_is_left_of_what_failed(told):
    *_, store, _, _ = told
    assert {path.name for path in store.runs.iterdir()} == set(store.keys())
    assert store.verify_hashes() == ()
    assert not list((store.root / "locks").glob("*"))
