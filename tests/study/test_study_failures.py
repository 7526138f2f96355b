"""What runs do to themselves, through the whole program: each failure is recorded and told, and the others finish."""

from dataclasses import replace
from pathlib import Path

from tiny_study import BASELINE, request_of, write_recipe

from ablate.cli.command.run import run_recipe
from ablate.cli.screen import ending
from ablate.request import Request
from ablate.result import Store
from ablate.study.running import missing

PATCH = """\
  {name}:
    title: {name}
    frontend:
      type: import
      target: misbehaving:Frontend
      params: {{gain: {gain}, does: {name}, marker: "{marker}"}}
"""
ACTS = ("wrong", "hang", "memory_once", "gpu_memory", "killed")


def go(folder: Path, monkeypatch) -> tuple[Request, list[int], list[list[str]]]:
    """The same command twice on a study with well-behaved runs and five that are not: exit codes, what was said."""
    patches = "".join(PATCH.format(name=act, gain=1.1 + i / 10, marker=folder / act) for i, act in enumerate(ACTS))
    frontend = "frontend: {type: import, target: misbehaving:Frontend, params: {gain: 1.0}}"
    recipe = write_recipe(
        folder, baseline=BASELINE.replace("frontend: {type: none}", frontend), patches="patches:\n" + patches
    )
    request = request_of(recipe, folder / "the results", inline=False, workers=2, run_timeout=8.0)
    monkeypatch.syspath_prepend(Path(__file__).parent)
    real = missing.settings_of
    monkeypatch.setattr(missing, "settings_of", lambda *given: replace(real(*given), grace=0.5))
    codes, said = [], []
    for _ in range(2):
        said.append([])
        monkeypatch.setattr(ending, "say", said[-1].append)
        codes.append(run_recipe(request))
    return request, codes, said


def test_each_failure_is_recorded_and_told_with_its_retry_and_the_others_finish(tmp_path, monkeypatch):
    request, codes, said = go(tmp_path, monkeypatch)
    store = Store(request.out / "tiny")

    records = [record for record in store.records() if record.variant != "glm"]
    assert {record.variant: (record.state, record.reason) for record in records} == {
        "baseline": ("done", ""),
        "memory_once": ("done", ""),  # out of memory, then once more alone
        "wrong": ("failed", "ValueError: a bug in a user's part"),
        "hang": ("failed", "ran longer than 8 s"),  # SIGTERM did not end it
        "gpu_memory": (
            "failed",
            "out of memory, also when run alone (OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB)",
        ),
        "killed": ("failed", "killed by SIGKILL, also when run alone (often the system's out-of-memory killer)"),
    }
    for record in records:  # with its configuration, its recipe as written, and where it ran
        assert (store.folder(record.key) / "recipe.yaml").read_text() == request.recipe.read_text()
        where = record.environment["device"]
        assert (where["type"], where["precision"], where["driver"], where["compiled"]) == ("cpu", "fp32", None, False)
        assert where["name"]
        assert record.config["model"]["frontend"]["params"].get("does", "baseline") == record.variant

    kept = {record.variant: store.folder(record.key) / "log.txt" for record in records}
    logs = {variant: path.read_text() for variant, path in kept.items() if path.exists()}
    assert logs["hang"].splitlines()[-1] == "the part waits for an answer"
    assert logs["wrong"].splitlines()[-1] == "ValueError: a bug in a user's part"
    assert "Traceback" in logs["wrong"]

    assert codes == [1, 1]  # asked again, nothing is trained and the failures are told again
    command = f"ablate run {request.recipe} --out '{request.out}' --device cpu --workers 2 --run-timeout 8 --retry all"
    for lines in said:
        for act in ("wrong", "hang", "gpu_memory", "killed"):
            assert any(line.startswith(f"failed: {act} seed 0: ") for line in lines)
        assert f"try these again: {command}" in lines
    assert said[0][0].startswith("3 runs trained, 0 kept from before")
    assert said[1][0].startswith("every run of this study is done; nothing was trained")
    assert sorted(said[1][1:]) == sorted(said[0][1:])

    assert {path.name for path in store.runs.iterdir()} == set(store.keys())
    assert store.verify_hashes() == ()
    assert not list((store.root / "locks").glob("*"))
