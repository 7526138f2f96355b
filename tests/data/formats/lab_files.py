"""Files of other labs, each in its true layout and by its own library, all of one small world whose truth is known.

The world: `frames` pictures of 6 x 5 pixels, three cells whose rate follows one pixel each, two behaviour variables.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

HEIGHT, WIDTH, UNITS = 6, 5, 3
PIXELS = ((1, 1), (4, 2), (3, 3))


@dataclass
class World:
    rate_hz: float
    stimulus: np.ndarray
    spikes: np.ndarray
    behavior: np.ndarray

    @property
    def onsets(self) -> np.ndarray:
        return 5.0 + np.arange(len(self.stimulus)) / self.rate_hz


def world(frames: int = 900, rate_hz: float = 50.0, seed: int = 0) -> World:
    random = np.random.default_rng(seed)
    stimulus = random.integers(0, 256, (frames, HEIGHT, WIDTH), dtype=np.uint8)
    drive = np.stack([stimulus[:, row, col] for row, col in PIXELS], axis=1) / 255
    spikes = random.poisson(0.05 + 1.5 * drive**2).astype(np.uint8)
    behavior = np.cumsum(random.standard_normal((frames, 2)), axis=0).astype(np.float32)
    return World(rate_hz, stimulus, spikes, behavior)


# ------------------------------------------------------------------ Sensorium


def sensorium2023(folder: Path, truth: World, *, clip: int = 90, padding: int = 7) -> Path:
    """Clips of equal length, padded with NaN; every third one of tier oracle, one of tier none, one hidden."""
    for name in ("videos", "responses", "behavior", "pupil_center"):
        (folder / "data" / name).mkdir(parents=True)
    trials = len(truth.stimulus) // clip
    tiers = ["oracle" if index % 3 == 2 else "train" for index in range(trials)] + ["none", "final_test_main"]
    for index in range(trials + 2):
        part = slice((index % trials) * clip, (index % trials + 1) * clip)
        calcium = truth.spikes[part].T * np.float64(0.5)
        if tiers[index] == "final_test_main":
            calcium = np.zeros_like(calcium)
        video = np.moveaxis(truth.stimulus[part].astype(np.float64), 0, 2)
        _padded(folder / "data" / "videos" / f"{index}.npy", video, padding)
        _padded(folder / "data" / "responses" / f"{index}.npy", calcium, padding)
        _padded(folder / "data" / "behavior" / f"{index}.npy", truth.behavior[part].T, padding)
        _padded(folder / "data" / "pupil_center" / f"{index}.npy", truth.behavior[part].T + 1, padding)
    _meta(folder, tiers)
    return folder


def sensorium2022(folder: Path, truth: World, *, trials: int = 200) -> Path:
    for name in ("images", "responses", "behavior", "pupil_center"):
        (folder / "data" / name).mkdir(parents=True)
    for index in range(trials):
        np.save(folder / "data" / "images" / f"{index}.npy", truth.stimulus[index][None].astype(np.float32))
        np.save(folder / "data" / "responses" / f"{index}.npy", truth.spikes[index] * 0.5)
        np.save(folder / "data" / "behavior" / f"{index}.npy", np.append(truth.behavior[index], 0.5))
        np.save(folder / "data" / "pupil_center" / f"{index}.npy", truth.behavior[index])
    _meta(folder, ["test" if index % 10 == 0 else "train" for index in range(trials)])
    return folder


def _padded(path: Path, values: np.ndarray, padding: int) -> None:
    width = [(0, 0)] * (values.ndim - 1) + [(0, padding)]
    np.save(path, np.pad(values.astype(np.float64), width, constant_values=np.nan))


def _meta(folder: Path, tiers: list[str]) -> None:
    for name in ("trials", "neurons", "statistics/responses/all"):
        (folder / "meta" / name).mkdir(parents=True)
    np.save(folder / "meta" / "trials" / "tiers.npy", np.array(tiers))
    np.save(folder / "meta" / "neurons" / "unit_ids.npy", np.arange(UNITS))
    np.save(folder / "meta" / "neurons" / "cell_motor_coordinates.npy", np.zeros((UNITS, 3)))
    np.save(folder / "meta" / "statistics" / "responses" / "all" / "mean.npy", np.ones(UNITS))


# ------------------------------------------------------------------ open-retina, VisionCore, experanto


def openretina(folder: Path, truth: World, *, channels: int = 1) -> Path:
    import h5py

    (folder / "stimuli").mkdir(parents=True)
    half = len(truth.stimulus) // 2
    movie = np.repeat(truth.stimulus[None], channels, axis=0)
    np.save(folder / "stimuli" / "noise.npy", movie[:, :half])
    with h5py.File(folder / "session_1.h5", "w") as file:
        file["responses_noise"] = truth.spikes[:half].T
        file["responses_own"] = truth.spikes[half:].T
        file["stimulus_own"] = movie[:, half:]
        file["session_info/sampling_rate"] = truth.rate_hz
        file["session_info/eye"] = "left"
        file["roi_mask"] = np.zeros((4, 4))
    return folder / "session_1.h5"


def visioncore(folder: Path, truth: World) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    frames = len(truth.stimulus)
    valid = np.ones(frames, np.float32)
    valid[100:120] = 0
    covariates = {
        "stim": torch.from_numpy(truth.stimulus),
        "robs": torch.from_numpy(truth.spikes.astype(np.float32)),
        "eyepos": torch.from_numpy(truth.behavior),
        "t_bins": torch.from_numpy(truth.onsets),
        "trial_inds": torch.arange(frames) // 300,
        "dpi_valid": torch.from_numpy(valid),
        "dpi_pix": torch.zeros(frames, 2),
    }
    torch.save({"covariates": covariates, "metadata": {"name": "someone"}}, folder / "day.dset")
    return folder / "day.dset"


def experanto(folder: Path, truth: World, *, spikes: bool = True, clip: int = 90) -> Path:
    screen = folder / "screen"
    (screen / "data").mkdir(parents=True)
    (screen / "meta").mkdir()
    np.save(screen / "timestamps.npy", truth.onsets)
    (screen / "meta.yml").write_text("modality: screen\nstart_time: 5.0\nend_time: 100.0\n")
    for index in range(len(truth.stimulus) // clip):
        np.save(screen / "data" / f"{index:05d}.npy", truth.stimulus[index * clip : (index + 1) * clip])
        tier = "test" if index % 3 == 2 else "train"
        text = f"modality: video\ntier: {tier}\nfirst_frame_idx: {index * clip}\nnum_frames: {clip}\n"
        (screen / "meta" / f"{index:05d}.yml").write_text(text)
    cells = folder / "responses"
    cells.mkdir()
    if spikes:
        times = spike_times(truth)
        np.save(cells / "spikes.npy", np.concatenate(times))
        limits = np.cumsum([0, *map(len, times)]).tolist()
        (cells / "meta.yml").write_text(f"modality: spikes\nspike_indices: {limits}\n")
    else:
        np.save(cells / "data.npy", truth.spikes * 0.5)
        (cells / "meta.yml").write_text(f"modality: sequence\nsampling_rate: {truth.rate_hz}\nstart_time: 5.0\n")
    run = folder / "treadmill"
    run.mkdir()
    fine = np.repeat(truth.behavior[:, :1], 4, axis=0)
    fine.astype(np.float32).tofile(run / "data.mem")
    (run / "meta.yml").write_text(
        f"modality: sequence\nsampling_rate: {4 * truth.rate_hz}\nstart_time: 5.0\nn_signals: 1\ndtype: float32\n"
    )
    blank = folder / "blanks"
    blank.mkdir()
    (blank / "meta.yml").write_text("modality: time_interval\n")
    return folder


# ------------------------------------------------------------------ NWB


def spike_times(truth: World) -> list[np.ndarray]:
    """Of each unit, s: evenly within the frame in which they were counted, the first one at its very onset."""
    found = []
    for unit in range(UNITS):
        counts = truth.spikes[:, unit]
        within = np.concatenate([np.arange(count) / count for count in counts if count])
        found.append(np.repeat(truth.onsets, counts) + within * 0.9 / truth.rate_hz)
    return found


def nwb(
    folder: Path,
    truth: World,
    *,
    layout: str = "series",
    dimension: bool = True,
    axes: str = "tyx",
    others: bool = False,
) -> Path:
    """layout: series (frames with a rate), jitter (frames with timestamps), index (into images), table (Allen)."""
    import pynwb
    from pynwb.behavior import BehavioralTimeSeries
    from pynwb.image import GrayscaleImage, ImageSeries, IndexSeries

    folder.mkdir(parents=True, exist_ok=True)
    file = pynwb.NWBFile(
        session_description="a small world", identifier="id", session_start_time=datetime(2026, 1, 1, tzinfo=UTC)
    )
    file.add_unit_column(name="quality", description="how good")
    for times in spike_times(truth):
        file.add_unit(spike_times=times, obs_intervals=[[5.0, truth.onsets[-60]]], quality="good")
    frames = truth.stimulus if axes == "tyx" else np.swapaxes(truth.stimulus, 1, 2)
    size = {"dimension": [WIDTH, HEIGHT]} if dimension else {}
    if layout in ("series", "jitter"):
        clock = {"rate": truth.rate_hz, "starting_time": 5.0}
        if layout == "jitter":
            clock = {"timestamps": truth.onsets + np.random.default_rng(1).uniform(-1e-4, 1e-4, len(truth.onsets))}
        file.add_stimulus(ImageSeries(name="movie", data=frames, unit="n.a.", format="raw", **size, **clock))
    elif layout == "index":
        images = pynwb.base.Images(
            name="pictures", images=[GrayscaleImage(name=f"p{i}", data=frames[i]) for i in range(20)]
        )
        images.order_of_images = pynwb.base.ImageReferences(name="order_of_images", data=list(images.images.values()))
        file.add_stimulus_template(images)
        shown = np.arange(len(truth.stimulus)) % 20
        file.add_stimulus(
            IndexSeries(
                name="shown",
                data=shown.astype(np.uint32),
                indexed_images=images,
                unit="N/A",
                rate=truth.rate_hz,
                starting_time=5.0,
            )
        )
    elif layout == "table":
        file.add_stimulus_template(
            ImageSeries(name="natural_movie", data=frames, unit="n.a.", format="raw", rate=truth.rate_hz, **size)
        )
        table = pynwb.epoch.TimeIntervals(
            name="natural_movie_presentations", description="as the Allen Institute writes them"
        )
        table.add_column(name="frame", description="of the template")
        for index, onset in enumerate(truth.onsets):
            table.add_row(start_time=onset, stop_time=onset + 1 / truth.rate_hz, frame=float(index))
        table.add_row(start_time=1.0, stop_time=2.0, frame=-1.0)
        file.add_time_intervals(table)
    if others:
        file.add_stimulus(ImageSeries(name="grating", data=frames[:50], unit="n.a.", format="raw", rate=10.0, **size))
    speed = pynwb.TimeSeries(
        name="speed", data=truth.behavior[:, 0], unit="cm/s", rate=truth.rate_hz, starting_time=5.0
    )
    module = file.create_processing_module(name="behavior", description="what the animal did")
    module.add(BehavioralTimeSeries(name="running", time_series=speed))
    module.add(pynwb.TimeSeries(name="pupil", data=truth.behavior, unit="px", timestamps=truth.onsets))
    traces = pynwb.TimeSeries(name="lfp", data=np.zeros((50, 30)), unit="V", rate=100.0)
    file.create_processing_module(name="ecephys", description="traces").add(traces)
    file.add_acquisition(pynwb.TimeSeries(name="sync", data=np.zeros(5), unit="V", rate=1.0))
    path = folder / "day1.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


WRITERS = {
    "sensorium2023": sensorium2023,
    "sensorium2022": sensorium2022,
    "openretina": openretina,
    "visioncore": visioncore,
    "experanto": experanto,
    "nwb": nwb,
}
LIBRARY = {"openretina": "h5py", "nwb": "pynwb"}
"""What writes a format and may not be installed."""
