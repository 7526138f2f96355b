"""The study that people have, run as docs/eeg.md says: 64 channels, films of uneven rates, five imbalanced classes."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.result import Store

SUBJECTS, TRIALS, CHANNELS, RATE = 5, 10, 64, 250.0
CLASSES = ("neutral", "happy", "sad", "angry", "calm")
COUNTS = (32, 8, 4, 4, 2)
SECONDS, GAP, OFFSET = 4.0, 1.0, 0.7

RECIPE = """\
# usual.yaml
question: Does the film help the EEG to tell the emotion?
data: {type: trials, path: usual, layout: mne, frames: 3, image_size: 16, band_hz: [1, 40], resample_hz: 125}
baseline:
  type: fusion
  embedding_dim: 8
  video: {type: small_vit, patch_size: 8, width: 8, frozen: true, weights_seed: 0}
  eeg: {type: eegnet, kernel_size: 33}
  fusion: {type: none}
training: {steps: 30, batch_size: 10, warmup_steps: 5, evaluate_every: 15, ema: 0.9, learning_rate: 3.0e-3}
patches:
  film: {title: film, fusion: {type: gated_cross_attention}}
variants: [each]
controls: false
seeds: [0, 1]
"""


def film(file: Path, grey: int, rng: np.random.Generator) -> None:
    """A film whose frames come at uneven times, black before its trial begins."""
    av = pytest.importorskip("av")
    with av.open(str(file), "w") as target:
        stream = target.add_stream("mpeg4", rate=50)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 50)
        ticks = np.cumsum(rng.integers(2, 6, 200))
        for tick in ticks[ticks < 50 * (OFFSET + SECONDS + 0.5)].tolist():
            value = 0 if tick < 50 * OFFSET else grey
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), value, np.uint8), format="rgb24")
            frame.pts, frame.time_base = tick, Fraction(1, 50)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())


def usual(folder: Path) -> None:
    """50 trials; the class is the film's grey and the amplitude of a rhythm at the last channels."""
    mne = pytest.importorskip("mne")
    folder.mkdir()
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(len(CLASSES)), COUNTS)).reshape(SUBJECTS, TRIALS)
    lines = ["trial_id,subject,label,eeg,video,t0_eeg_s,t0_video_s,seconds"]
    time = np.arange(round(SECONDS * RATE)) / RATE
    for subject, own in enumerate(labels.tolist()):
        name, length = f"sub-{subject + 1:02d}", round((GAP + SECONDS) * RATE)
        eeg = 10 * rng.standard_normal((CHANNELS, TRIALS * length))
        for trial, label in enumerate(own):
            start = trial * length + round(GAP * RATE)
            eeg[-8:, start : start + len(time)] += 6 * label * np.sin(2 * np.pi * 10 * time)
            film(folder / f"{name}_{trial}.mp4", 40 + 45 * label, rng)
            cells = (f"{name}_{trial}", name, CLASSES[label], f"{name}_eeg.fif", f"{name}_{trial}.mp4")
            moments = (trial * (GAP + SECONDS) + GAP, OFFSET, SECONDS)
            lines.append(",".join(map(str, (*cells, *moments))))
        info = mne.create_info([f"E{index + 1}" for index in range(CHANNELS)], RATE, "eeg")
        mne.io.RawArray(eeg * 1e-6, info, verbose="error").save(folder / f"{name}_eeg.fif", verbose="error")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")


def said(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, (words, result.output, result.exception)
    return result.output


@pytest.mark.slow
def test_the_usual_study_runs_from_the_manifest_to_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    usual(Path("usual"))
    told = said("data", "info", "usual", "--set", "data.frames=3", "--set", "data.image_size=16")
    assert "5 subjects, 50 trials, 5 classes" in told
    assert "EEG of 64 channels at 250 Hz" in told
    assert "0 of 100 intervals have no frame" in told
    assert "fewer than three trials of `calm` (2): not every split can hold such a class" in told
    Path("usual.yaml").write_text(RECIPE)
    said("check", "usual.yaml")
    said("run", "usual.yaml", "--workers", "1", "--device", "cpu")
    said("report", "results/usual", "--html", "usual.html")
    records = Store(Path("results/usual")).records()
    assert [record.state for record in records] == ["done"] * 4
    tested = sum(map(sum, records[0].test.confusion))
    assert tested == 10  # two of each subject's ten
    page = Path("usual.html").read_text()
    for word in (
        "balanced accuracy",
        "macro F1",
        "takes for what",
        "Subject by subject",
        "calibration error",
        "sub-05",
    ):
        assert word in page
    assert all(name in page for name in CLASSES)
    details = said("report", "results/usual", "--details")
    assert "What `film` takes for what" in details
    assert "EEG is band-passed from 1 Hz to 40 Hz, zero phase" in said("check", "usual.yaml")
