"""docs/eeg.md says what is true: its commands run on the example, its manifests are read, its recipe is checked."""

import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.data import TrialsConfig
from ablate.data.trials.info import trials_info
from ablate.data.trials.layout.detect import layout_of
from ablate.errors import Problems
from ablate.recipe import load_recipe
from ablate.result import Store
from ablate.variant import lay_out
from ablate.variant.probe import real_variants

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "eeg.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()


def said(*words: str) -> str:
    """What a command prints; it must succeed."""
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, (words, result.output, result.exception)
    return result.output


@pytest.mark.slow
def test_the_whole_path_runs_as_it_stands_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = {}
    for line in COMMANDS:
        words = shlex.split(line, comments=True)
        assert words.pop(0) == "ablate"
        more = ["--workers", "1", "--device", "cpu", "--seeds", "0"] if words[0] == "run" else []
        told[words[0] + words[1]] = said(*words, *more)
    assert "labels count the trials of train/validation/test" in told["datainfo"]
    (study,) = (path for path in (tmp_path / "results").iterdir())
    assert {record.state for record in Store(study).records()} == {"done"}
    page = (tmp_path / "study.html").read_text()
    for word in ("balanced accuracy", "macro F1", "takes for what", "Subject by subject", "calibration error"):
        assert word in page


def test_the_example_is_what_its_info_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "s04: 9 calm, 4 happy, 2 sad" in said("data", "make", "--type", "trials", "my_trials")
    info = trials_info(TrialsConfig(path="my_trials"))
    assert (len(info.subjects), info.labels, info.rate_hz) == (4, ("calm", "happy", "sad"), 128.0)
    assert sum(sum(sum(counts.values()) for counts in subject.labels.values()) for subject in info.subjects) == 60
    assert info.absent == info.without_video == 0
    with pytest.raises(Exception, match="already exists and is not empty"):
        CliRunner().invoke(app, ["data", "make", "--type", "trials", "my_trials"], catch_exceptions=False)


def test_the_same_study_runs_on_films_and_fif_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mne")
    pytest.importorskip("av")
    monkeypatch.chdir(tmp_path)
    said("data", "make", "--type", "trials", "--layout", "mne", "films")
    config = load_recipe("films/study.yaml").data
    assert isinstance(config, TrialsConfig)
    info = trials_info(config)
    assert (info.layout, info.frame_shape, info.slots, info.absent) == ("mne", (3, 16, 16), 6, 0)
    assert info.subjects[0].offset_s == (-140.5, -0.5)  # the film has 1.5 s before its trial, the EEG 2 s and more
    assert info.frames == (6, 6, 6)  # films of 10, 12 and 15 frames a second fill every slot of 1/3 s


def test_the_pages_recipe_passes_the_checks_before_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said("data", "make", "--type", "trials", "my_trials")
    Path("own_trials.yaml").write_text(BLOCKS["own_trials.yaml"])
    problems = Problems()
    variants = real_variants(lay_out(load_recipe("own_trials.yaml")).variants, problems)
    problems.refuse()
    assert [variant.name for variant in variants if variant.role == "variant"] == ["film"]


def test_the_pages_native_manifest_is_read(tmp_path: Path) -> None:
    (tmp_path / "meta.yaml").write_text(BLOCKS["meta.yaml"])
    (tmp_path / "manifest.csv").write_text(BLOCKS["manifest_native.csv"])
    rng = np.random.default_rng(0)
    for name in ("anna_01", "anna_02"):
        arrays = {"eeg": 20 * rng.standard_normal((4, 2000)), "frame_mask": np.ones((4, 3), dtype=bool)}
        np.savez(tmp_path / f"{name}.npz", video=np.zeros((4, 3, 8, 8, 3), np.uint8), **arrays)
    assert layout_of(tmp_path) == "native"
    checked = TrialsConfig(path=str(tmp_path), most_absent=0.5).checked()
    assert [(row.label, bool(row.shown)) for row in checked.table.rows] == [("calm", True), ("happy", False)]


def test_the_pages_mne_manifest_is_read(tmp_path: Path) -> None:
    from ablate.data.trials.example import Trial, write_film

    mne, _ = pytest.importorskip("mne"), pytest.importorskip("av")
    (tmp_path / "manifest.csv").write_text(BLOCKS["manifest_mne.csv"])
    eeg = 2e-5 * np.random.default_rng(0).standard_normal((3, 3000))
    raw = mne.io.RawArray(eeg, mne.create_info(["Fz", "Cz", "Pz"], 100.0, "eeg"), verbose="error")
    raw.save(tmp_path / "anna_raw.fif", verbose="error")
    write_film(tmp_path / "anna_01.mp4", Trial("anna_01", "anna", "calm", "calm", "calm", (0,)), 10)
    assert layout_of(tmp_path) == "mne"
    checked = TrialsConfig(path=str(tmp_path), layout="mne", most_absent=0.5, image_size=16).checked()
    assert [row.offset_s for row in checked.table.rows] == [-0.5, None]
    assert checked.table.intervals == 4


@pytest.mark.parametrize("block", ["signal.yaml", "ratings.yaml", "cross_validation.yaml", "augment.yaml"])
def test_the_pages_data_options_are_options(block: str, tmp_path: Path) -> None:
    recipe = "question: none\n" + BLOCKS[block].replace("data:\n", "data:\n  type: trials\n  path: nowhere\n", 1)
    (tmp_path / block).write_text(recipe + "baseline: {type: fusion}\n")
    assert isinstance(load_recipe(tmp_path / block).data, TrialsConfig)


def test_the_pages_encoders_and_parts_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written; what their packages and weights give is shown where these are installed (test_focus.py)."""
    monkeypatch.chdir(tmp_path)
    said("data", "make", "--type", "trials", "my_trials")
    data = "question: none\ndata: {type: trials, path: my_trials}\n"
    Path("encoders.yaml").write_text(data + BLOCKS["encoders.yaml"])
    kinds = {variant.configuration.model.video.type for variant in lay_out(load_recipe("encoders.yaml")).variants}
    assert kinds == {"focus", "timm"}
    Path("results/other/runs/KEY").mkdir(parents=True)
    Path("results/other/runs/KEY/weights.safetensors").write_bytes(b"")
    Path("start.yaml").write_text(data + "baseline: {type: fusion}\nvariants: [each]\n" + BLOCKS["start.yaml"])
    started = {one.name: one.configuration.model.init for one in lay_out(load_recipe("start.yaml")).variants}
    assert started["baseline"] is None
    assert (started["kept"].parts, started["kept"].frozen, started["tuned"].frozen) == (("eeg",), True, False)


def test_the_pages_encoder_of_braindecode_is_checked_and_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages that braindecode imports
        pytest.importorskip("braindecode.models")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    said("data", "make", "--type", "trials", "my_trials")
    Path("labram.py").write_text(BLOCKS["labram.py"])
    study = Path("my_trials/study.yaml").read_text(encoding="utf-8")
    Path("labram.yaml").write_text(study[: study.index("patches:")] + BLOCKS["labram.yaml"])
    few = ["training.steps=4", "training.warmup_steps=1", "training.evaluate_every=2", "controls=false", "seeds=[0]"]
    said("run", "labram.yaml", "--workers", "1", "--device", "cpu", *(word for one in few for word in ("--set", one)))
    record = next(one for one in Store(Path("results/labram")).records() if one.variant == "labram")
    assert (record.state, record.test is None) == ("done", False)
    variants = {one.name: one.configuration for one in lay_out(load_recipe("labram.yaml")).variants}
    model = variants["labram"].model.build(variants["labram"].data.describe())
    eeg = torch.randn(2, 8, 4 * 256, generator=torch.Generator().manual_seed(0))
    changed = eeg.clone()
    changed[..., 256:512] += 1.0
    before, after = (model.eval().eeg(one).unflatten(1, (4, -1)) for one in (eeg, changed))
    same = [torch.equal(one, other) for one, other in zip(before.unbind(1), after.unbind(1), strict=True)]
    assert same == [True, False, True, True]


def test_every_page_that_the_code_names_exists() -> None:
    """`docs/eeg.md` was named in errors long before it was there."""
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "ablate").rglob("*.py")]
    named = {page for text in texts for page in re.findall(r"docs/\w+\.md", text)}
    assert "docs/eeg.md" in named
    assert {page for page in named if not (ROOT / page).is_file()} == set()
