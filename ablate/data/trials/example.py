"""An example folder of trials, small, imbalanced, and with something to find: what a user's own folder must look like.

Each class has a rhythm of its own in the EEG (a frequency at the last two channels, in noise) and a direction in which
a bright square moves through the film; trials are so drawn that neither says everything: in `MISLED` of the trials the
rhythm is another class's, in as many the film is.

    native    meta.yaml, manifest.csv, an .npz a trial with EEG and pixels
    mne       manifest.csv, a .fif a subject, an .mp4 a trial (each of a rate of its own); needs [eeg], [video]
"""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.layout.native import write_folder
from ablate.disk.header import as_scalar
from ablate.disk.whole import whole_folder
from ablate.errors import AblateError

CHANNELS = ("Fz", "Cz", "Pz", "P3", "P4", "Oz", "O1", "O2")
RATE_HZ, INTERVAL_S, INTERVALS = 128.0, 2.0, 4
CLASSES: Mapping[str, float] = {"calm": 9 / 15, "happy": 4 / 15, "sad": 2 / 15}
RHYTHM_HZ = {"calm": 10.0, "happy": 20.0, "sad": 6.0}
STEPS = {"calm": (0, 1), "happy": (1, 0), "sad": (-1, -1)}
NOISE_UV, RHYTHM_UV = 12.0, 14.0
MISLED = 0.2
OFFSET_S = 1.5  # of the mne layout's films: they begin before their trial does
GAP_S = 2.0  # between two trials of a .fif
SIZE, FRAMES = 16, 6  # pixels along a side; of an interval, native
FILM_SIZE, FILM_RATES = 64, (10, 12, 15)  # mne

README = """\
# Study of the example trials: ablate check {quoted}, then ablate run {quoted}

question: Does the film help the EEG to tell the label?
data: {{type: trials, path: {scalar}{more}}}
baseline:
  type: fusion
  embedding_dim: 16
  video: {video}
  mixer: {{type: gru}}
  eeg: {{type: eegnet, kernel_size: 33}}
  fusion: {{type: none}}  # EEG alone
training: {{steps: 150, batch_size: 12, learning_rate: 3.0e-3, warmup_steps: 10, evaluate_every: 25, ema: 0.9}}
patches:
  film:
    title: EEG tokens look at their own interval's frames
    fusion: {{type: gated_cross_attention}}
  late:
    title: film and EEG meet at the end
    fusion: {{type: late}}
variants: [each]
seeds: [0, 1, 2]
"""


@dataclass(frozen=True)
class Trial:
    """One drawn trial. seed: of its noise. rhythm, moves: the class that EEG and film show."""

    name: str
    subject: str
    label: str
    rhythm: str
    moves: str
    seed: tuple[int, ...]


def write_example(
    folder: Path,
    layout: Literal["native", "mne"] = "native",
    *,
    subjects: int = 4,
    each: int = 15,
    seed: int = 0,
    tell: Callable[[str], None] = lambda line: None,
) -> int:
    """Writes the folder and a recipe beside it; gives the number of trials. Raises AblateError for a folder with
    something in it, and for a missing extra."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AblateError("already exists and is not empty", where=str(folder), hint="name another folder")
    trials = drawn(subjects, each, seed)
    small, pinned = "{type: small_vit, patch_size: 8, width: 16}", ", layout: mne, frames: 6, image_size: 16"
    text = README.format(
        scalar=as_scalar(folder.as_posix()),
        quoted=shlex.quote(f"{folder.as_posix()}/study.yaml"),
        video=small,
        more=pinned if layout == "mne" else "",
    )
    with whole_folder(folder) as beside:
        {"native": _write_native, "mne": _write_mne}[layout](beside, trials)
        (beside / "study.yaml").write_text(text, encoding="utf-8")
    for subject in dict.fromkeys(trial.subject for trial in trials):
        own = [trial.label for trial in trials if trial.subject == subject]
        tell(f"{subject}: " + ", ".join(f"{own.count(label)} {label}" for label in CLASSES))
    return len(trials)


def drawn(subjects: int, each: int, seed: int) -> list[Trial]:
    """The trials of all subjects, classes in their proportions (at least one of each)."""
    trials = []
    for subject in range(subjects):
        rng = np.random.default_rng([seed, subject])
        counts = {label: max(1, round(share * each)) for label, share in CLASSES.items()}
        labels = [label for label, count in counts.items() for _ in range(count)]
        for index, place in enumerate(rng.permutation(len(labels)).tolist()):
            label, others = labels[place], [other for other in CLASSES if other != labels[place]]
            rhythm, moves = (str(rng.choice(others)) if rng.random() < MISLED else label for _ in range(2))
            name = f"s{subject + 1:02d}_t{index + 1:02d}"
            trials.append(Trial(name, f"s{subject + 1:02d}", label, rhythm, moves, (seed, subject, index)))
    return trials


def eeg_of(trial: Trial) -> NDArray[np.float32]:
    """(channels, samples) microvolts."""
    rng = np.random.default_rng([*trial.seed, 1])
    samples = round(INTERVALS * INTERVAL_S * RATE_HZ)
    eeg = NOISE_UV * rng.standard_normal((len(CHANNELS), samples))
    phase = 2 * np.pi * (RHYTHM_HZ[trial.rhythm] * np.arange(samples) / RATE_HZ + rng.random())
    eeg[-2:] += RHYTHM_UV * np.sin(phase)
    return eeg.astype(np.float32)


def frames_of(trial: Trial, count: int, size: int) -> NDArray[np.uint8]:
    """(count, size, size, 3): a bright square that takes a step a frame, on noise."""
    rng = np.random.default_rng([*trial.seed, 2])
    frames = rng.integers(0, 60, (count, size, size, 3), dtype=np.uint8)
    place, step, side = rng.integers(0, size, 2), np.array(STEPS[trial.moves]), size // 4
    for index in range(count):
        corner = place + step * (index * (size // 8))
        rows, columns = ((np.arange(side) + int(start)) % size for start in corner)
        frames[index][np.ix_(rows, columns)] = 230
    return frames


def _write_native(folder: Path, trials: list[Trial]) -> None:
    made: list[dict[str, object]] = []
    for trial in trials:
        rng = np.random.default_rng([*trial.seed, 3])
        frames = frames_of(trial, INTERVALS * FRAMES, SIZE).reshape(INTERVALS, FRAMES, SIZE, SIZE, 3)
        valid = rng.integers(FRAMES - 2, FRAMES + 1, INTERVALS)  # films drop frames
        times = INTERVAL_S * (np.arange(INTERVALS)[:, None] + (np.arange(FRAMES) + 0.5) / FRAMES)
        made.append(
            {
                "trial_id": trial.name,
                "subject": trial.subject,
                "session": "1",
                "label": trial.label,
                "eeg": eeg_of(trial),
                "video": frames,
                "frame_mask": np.arange(FRAMES) < valid[:, None],
                "frame_t": times,
                "t0_eeg_s": 0.0,
                "t0_video_s": 0.0,
            }
        )
    meta = {"eeg_rate_hz": RATE_HZ, "channel_names": list(CHANNELS), "units": "uV", "interval_s": INTERVAL_S}
    write_folder(folder, meta, made)


def _write_mne(folder: Path, trials: list[Trial]) -> None:
    mne, seconds = _extra("mne", "eeg"), INTERVALS * INTERVAL_S
    _extra("av", "video")
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["trial_id,subject,label,eeg,video,t0_eeg_s,t0_video_s,seconds"]
    for subject in dict.fromkeys(trial.subject for trial in trials):
        own, file = [trial for trial in trials if trial.subject == subject], f"{subject}_raw.fif"
        rng = np.random.default_rng([*own[0].seed, 4])
        pieces: list[NDArray[np.floating]] = []
        for trial in own:
            gap = rng.standard_normal((len(CHANNELS), round(GAP_S * RATE_HZ)))
            pieces += [NOISE_UV * gap, eeg_of(trial)]
        raw = mne.io.RawArray(
            np.concatenate(pieces, axis=1) * 1e-6, mne.create_info(list(CHANNELS), RATE_HZ, "eeg"), verbose="error"
        )
        raw.save(folder / file, verbose="error")
        for index, trial in enumerate(own):
            start = GAP_S + index * (GAP_S + seconds)
            write_film(folder / f"{trial.name}.mp4", trial, FILM_RATES[index % len(FILM_RATES)])
            cells = (trial.name, subject, trial.label, file, f"{trial.name}.mp4", start, OFFSET_S, seconds)
            lines.append(",".join(map(str, cells)))
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_film(file: Path, trial: Trial, rate: int) -> None:
    """The trial's film at so many frames a second, black until the trial begins."""
    av = _extra("av", "video")
    before = round(OFFSET_S * rate)
    moving = frames_of(trial, round(INTERVALS * INTERVAL_S * rate), FILM_SIZE)
    frames = np.concatenate([np.zeros((before, FILM_SIZE, FILM_SIZE, 3), np.uint8), moving])
    with av.open(str(file), "w") as target:
        stream = target.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = FILM_SIZE, FILM_SIZE, "yuv420p", 400_000
        for frame in frames:
            target.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        target.mux(stream.encode())


def _extra(module: str, extra: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        hint = f"pip install 'ablate[{extra}]', or write `--layout native`"
        raise AblateError(f"writing that layout needs {module}", where="--layout", hint=hint) from error
