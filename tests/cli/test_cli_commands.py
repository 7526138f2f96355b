"""Every command in a process of its own: exit codes, where text goes, what is imported, how it is stopped."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest
from tiny_study import TRAINING, ablate, environment, request_of, write_recipe

from ablate import __version__
from ablate.cli.command.run import finished_study
from ablate.errors import AblateError
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running import train

RECORDED = """\
data: {{type: recordings, path: {path}, window: 16, warmup: 8, score_every: 8, min_spikes: 1, sessions_per_batch: 1,
  split: {{blocks: 1}}}}
"""
COMMANDS = (
    "run",
    "status",
    "stop",
    "report",
    "params",
    "check",
    "parts",
    "show",
    "predict",
    "export",
    "compare",
    "verify",
    "clean",
    "data",
)


def test_help_and_version_never_load_torch():
    script = f"""
import sys
sys.argv = ["ablate"]
from ablate.cli.app import app
from typer.testing import CliRunner
for words in [[], *[[c] for c in {COMMANDS!r}], ["data", "make"], ["data", "info"], ["data", "inspect"],
              ["data", "import"], ["data", "features"]]:
    result = CliRunner().invoke(app, [*words, "--help"])
    assert result.exit_code == 0, (words, result.output)
    assert "Usage" in result.output, words
result = CliRunner().invoke(app, ["--version"])
assert result.exit_code == 0
assert result.output == "ablate {__version__}\\n", result.output
heavy = {{"torch", "timm", "scipy", "pandas", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A recipe and its finished study, trained by the pool with two workers."""
    folder = tmp_path_factory.mktemp("finished")
    recipe = write_recipe(folder)
    told = ablate("run", recipe, "--out", folder / "results", "--workers", 2, "--device", "cpu")
    assert told.returncode == 0, told.stderr
    return recipe, folder / "results", told


def test_a_study_is_trained_and_its_table_goes_to_stdout(finished):
    _, results, told = finished
    assert "baseline" in told.stdout
    assert "Does anything help a very small model?" in told.stdout
    assert "runs trained, 0 kept from before" in told.stderr
    store = Store(results / "tiny")
    assert {record.state for record in store.records()} == {"done"}
    assert all((folder / "log.txt").is_file() for folder in store.runs.iterdir())
    assert not list(store.logs.glob("*"))  # settled: what only a run under way needs is gone
    assert not list((store.root / "checkpoints").glob("*"))


def test_a_finished_study_answers_without_torch_and_writes_nothing(finished):
    recipe, results, _ = finished
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    script = f"""
import sys
sys.argv = ["ablate", "run", {str(recipe)!r}, "--out", {str(results)!r}, "--device", "cpu"]
from ablate.cli.app import main
try:
    main()
except SystemExit as leaving:
    assert leaving.code == 0, leaving.code
assert "torch" not in sys.modules
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=False
    )
    assert told.returncode == 0, told.stderr
    assert "every run of this study is done; nothing was trained" in told.stderr
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before


def test_verify_trains_a_run_again_to_the_last_digit_and_finds_a_changed_byte(finished):
    _, results, _ = finished
    told = ablate("verify", results / "tiny")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "agree to the last digit" in told.stdout
    store = Store(results / "tiny")
    weights = store.folder(store.keys()[0]) / "weights.safetensors"
    before = weights.read_bytes()
    weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        told = ablate("verify", results / "tiny", "--hashes-only")
        assert told.returncode == 1
        assert f"run {store.keys()[0]}: weights.safetensors has changed" in told.stdout
    finally:
        weights.write_bytes(before)


def test_a_plan_is_priced_and_nothing_is_written(finished, tmp_path):
    recipe, _, _ = finished
    told = ablate("run", recipe, "--price", "--out", tmp_path / "nowhere", "--device", "cpu")
    assert told.returncode == 0, told.stderr
    assert re.search(r"to go: (1 run|\d+ runs), about", told.stdout)
    assert "one seed gives no interval" in told.stdout
    assert not (tmp_path / "nowhere").exists()


def test_ctrl_c_in_a_terminal_saves_the_place_and_says_how_to_go_on(tmp_path):
    long = TRAINING.replace("steps: 6", "steps: 20000").replace("evaluate_every: 3", "evaluate_every: 20000")
    recipe = write_recipe(tmp_path, training=long)
    results = tmp_path / "results"
    primary, secondary = pty.openpty()
    words = [
        sys.executable,
        "-m",
        "ablate",
        "run",
        str(recipe),
        "--out",
        str(results),
        "--device",
        "cpu",
        "--only",
        "baseline",
    ]
    process = subprocess.Popen(
        words,
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=environment(TERM="xterm"),
        start_new_session=True,
    )
    os.close(secondary)
    store = Store(results / "tiny")
    try:
        said = b""
        until = time.monotonic() + 90
        while time.monotonic() < until and not (stepping(store) and list(store.logs.glob("*.log"))):
            said += drained(primary)
        os.killpg(process.pid, signal.SIGINT)  # as the terminal does: everything in the foreground hears it
        while process.poll() is None and time.monotonic() < until:
            said += drained(primary)
        said += drained(primary)
    finally:
        process.kill()
        process.wait()
        os.close(primary)
    text = said.decode(errors="replace")
    assert process.returncode == 130, text
    assert "nothing that was done is lost. Go on: ablate run" in " ".join(text.split()), text
    assert "Traceback" not in text
    assert [record.state for record in store.records()] == ["interrupted"]
    assert list((store.root / "checkpoints").glob("*/step-*.safetensors"))


def stepping(store: Store) -> bool:
    """Whether a run under way has said that it took a step."""
    for path in store.logs.glob("*.progress.json"):
        try:
            return json.loads(path.read_text())["step"] > 0
        except (OSError, ValueError):
            return False
    return False


def drained(handle: int) -> bytes:
    """What a terminal shows within a tenth of a second."""
    ready, _, _ = select.select([handle], [], [], 0.1)
    try:
        return os.read(handle, 65536) if ready else b""
    except OSError:  # the other side is closed
        time.sleep(0.05)
        return b""


@pytest.mark.slow
def test_two_at_once_on_one_study_share_the_work(tmp_path):
    recipe = write_recipe(
        tmp_path, training=TRAINING.replace("steps: 6", "steps: 60"), tail="variants: [each]\nseeds: [0, 1, 2]\n"
    )
    words = [
        sys.executable,
        "-m",
        "ablate",
        "run",
        str(recipe),
        "--out",
        str(tmp_path / "results"),
        "--device",
        "cpu",
        "--workers",
        "1",
    ]
    two = [
        subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in two]
    assert [process.returncode for process in two] == [0, 0], said
    store = Store(tmp_path / "results" / "tiny")
    trained = sum(int(re.split(r" runs? trained", err)[0].split()[-1]) for _, err in said)
    assert {record.state for record in store.records()} == {"done"}
    assert trained == len(store.keys())  # a run that the other one finished is not counted
    assert store.verify_hashes() == ()


@pytest.mark.skipif(os.name != "posix", reason="changes the user")
def test_a_read_only_results_folder_is_one_message(tmp_path):
    recipe = write_recipe(tmp_path)
    results = tmp_path / "results"
    results.mkdir()
    options = {}
    if os.geteuid() == 0:  # for whom nothing is read-only
        blocked = results / "tiny"
        blocked.write_text("a file where the study's folder should be")
        told = ablate("run", recipe, "--out", results, "--device", "cpu", **options)
    else:
        results.chmod(0o500)
        told = ablate("run", recipe, "--out", results, "--device", "cpu")
    assert told.returncode == 2
    assert told.stderr.splitlines()[-1].startswith(("error:", "hint:")) or "error:" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.slow
def test_a_run_that_takes_too_long_fails_and_the_study_leaves_with_1(tmp_path):
    long = TRAINING.replace("steps: 6", "steps: 100000").replace("evaluate_every: 3", "evaluate_every: 100000")
    recipe = write_recipe(tmp_path, training=long)
    told = ablate("run", recipe, "--out", tmp_path / "r", "--device", "cpu", "--only", "baseline", "--run-timeout", 3)
    assert told.returncode == 1, told.stderr
    assert "failed: baseline seed 0: ran longer than 3 s" in told.stderr
    assert (
        f"try these again: ablate run {recipe} --only baseline --out {tmp_path / 'r'} --device cpu --run-timeout 3 "
        "--retry all" in told.stderr
    )


def test_clean_is_dry_by_default(finished):
    _, results, _ = finished
    store = Store(results / "tiny")
    extra = store.checkpoints(store.keys()[0])
    extra.mkdir(parents=True)
    (extra / "step").write_bytes(b"x" * 100)
    told = ablate("clean", results / "tiny")
    assert told.returncode == 0
    assert "nothing was removed, add --yes" in told.stderr
    assert extra.exists()
    assert ablate("clean", results / "tiny", "--yes").returncode == 0
    assert not extra.exists()


def test_a_finished_study_of_recordings_answers_without_torch_until_a_file_is_touched(tmp_path, monkeypatch):
    made = ablate("data", "make", tmp_path / "recorded", "--recipe", write_recipe(tmp_path))
    assert made.returncode == 0, made.stderr
    recipe = write_recipe(tmp_path, data=RECORDED.format(path=tmp_path / "recorded"))
    run_study(request_of(recipe, tmp_path / "results", variants="fast"))
    request = request_of(recipe, tmp_path / "results", variants="fast")
    store, records = finished_study(request)
    assert (store.root.name, len(records)) == ("tiny", 2)
    spikes = next((tmp_path / "recorded").rglob("spikes.npy"))
    os.utime(spikes, (1, 1))
    assert finished_study(request) is None
    assert run_study(request).trained == 0  # the files are read again, and they are the same
    assert finished_study(request) is not None
    changed = bytearray(spikes.read_bytes())
    changed[-1] ^= 1
    spikes.write_bytes(changed)
    assert finished_study(request) is None
    monkeypatch.setattr(train, "_opened", {})  # as in a process of its own
    with pytest.raises(AblateError, match="its data changed"):
        run_study(request)
