"""Files of other labs give the arrays that they were written from, tell what they leave, and refuse what is unclear."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lab_files import (
    LIBRARY,
    UNITS,
    WRITERS,
    World,
    experanto,
    nwb,
    openretina,
    sensorium2022,
    sensorium2023,
    visioncore,
    world,
)

from ablate.data.formats.experanto import ExperantoConfig, read_experanto
from ablate.data.formats.inspect import config_of, inspected
from ablate.data.formats.nwb import NwbConfig, read_nwb
from ablate.data.formats.openretina import OpenRetinaConfig, read_openretina
from ablate.data.formats.sensorium.images import read_sensorium2022
from ablate.data.formats.sensorium.videos import read_sensorium2023
from ablate.data.formats.visioncore import VisionCoreConfig, read_visioncore
from ablate.data.recording import Recording, read_recording, write_recording
from ablate.errors import AblateError


@pytest.fixture(scope="module")
def truth() -> World:
    return world()


def told(recording: Recording, what: str) -> str:
    return "; ".join(recording.notes.get(what, ()))


@pytest.fixture(params=WRITERS)
def kind(request: pytest.FixtureRequest) -> str:
    if request.param in LIBRARY:
        pytest.importorskip(LIBRARY[request.param], reason="the format's own library is not installed")
    return request.param


def test_inspect_names_every_format_its_folder_too_and_import_writes_it(
    kind: str, truth: World, tmp_path: Path
) -> None:
    place = WRITERS[kind](tmp_path / "lab" / "one", truth)
    for path in (place, tmp_path / "lab" if place.is_dir() else place.parent):
        found = inspected(path, () if kind != "nwb" else ("axes=tyx",))
        assert (found.kind, found.readable) == (kind, True), found.lines
        assert any(line.startswith("read as: ") for line in found.lines)
        assert any(f"type: {kind}" in line for line in found.lines)
    config = config_of(place)
    recording = config.checked(place)
    write_recording(tmp_path / "ours", recording)
    again = read_recording(tmp_path / "ours")
    np.testing.assert_array_equal(again.stimulus, recording.stimulus)
    np.testing.assert_array_equal(again.spikes, recording.spikes)
    assert (again.signal, again.bin_rate_hz) == (recording.signal, recording.bin_rate_hz)
    assert again.notes["format"] == kind
    assert recording.notes["inferred"], "time zero at least is inferred"


def test_what_is_read_once_is_kept_and_read_again_when_a_file_changes(truth: World, tmp_path: Path) -> None:
    place = visioncore(tmp_path, truth)
    config = VisionCoreConfig(path=str(place))
    first = config.folders()
    assert config.folders() == first
    other = world(seed=1)
    visioncore(tmp_path, other)
    assert config.folders() != first
    np.testing.assert_array_equal(read_recording(config.folders()[0]).spikes, other.spikes)
    place.unlink()
    assert config.sources() == (str(place),), "a node that does not see the file asks for its stamp, and hands back"


# ------------------------------------------------------------------ Sensorium


@pytest.mark.parametrize("zipped", [False, True])
def test_sensorium_videos_end_at_their_first_nan_and_hidden_trials_are_left(
    zipped: bool, truth: World, tmp_path: Path
) -> None:
    place = sensorium2023(tmp_path / "scan", truth)
    if zipped:
        with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
            for path in place.rglob("*.npy"):
                archive.write(path, Path("dynamic1") / path.relative_to(place))
        place = tmp_path / "scan.zip"
    found = read_sensorium2023(place)
    np.testing.assert_array_equal(found.stimulus, truth.stimulus)
    assert found.stimulus.dtype == np.uint8
    np.testing.assert_array_equal(found.spikes, truth.spikes * 0.5)
    np.testing.assert_allclose(found.behavior, np.concatenate([truth.behavior, truth.behavior + 1], axis=1), rtol=1e-6)
    np.testing.assert_array_equal(found.trials, np.repeat(np.arange(10), 90))
    assert (found.signal, found.bin_rate_hz) == ("calcium", 30.0)
    assert "1 trials of tier none" in told(found, "not_used")
    assert "1 trials of tier final_test_main, whose responses are withheld" in told(found, "not_used")
    assert "meta/neurons (2 files)" in told(found, "not_used")
    assert "7 train, 3 oracle" in told(found, "inferred")


TIERED = {"sensorium2023": sensorium2023, "sensorium2022": sensorium2022, "experanto": experanto}


@pytest.mark.parametrize("kind", TIERED)
def test_the_tiers_of_a_lab_are_a_split_that_can_be_asked_for(kind: str, truth: World, tmp_path: Path) -> None:
    place = TIERED[kind](tmp_path / "scan", truth)
    windows = [] if kind == "sensorium2022" else ["window=16", "warmup=8"]
    own = config_of(place, [*windows, "min_spikes=1", "split={kind: file}"])
    found = own.checked(place)
    labels = {"sensorium2023": {0: 630, 1: 270}, "sensorium2022": {0: 180, 2: 20}, "experanto": {0: 630, 2: 270}}[kind]
    assert dict(zip(*map(np.ndarray.tolist, np.unique(found.split, return_counts=True)), strict=True)) == labels
    empty = "test" if kind == "sensorium2023" else "validation"
    told = rf"the {empty} split is empty: the split by the tiers of its files \({labels[0]} train"
    with pytest.raises(AblateError, match=told) as error:
        own.open(torch.device("cpu"))
    assert error.value.problems[0].hint == "`split: {kind: trials}`, or interleaved, splits it anew"
    ours = config_of(place, [*windows, "min_spikes=1"]).open(torch.device("cpu"))
    assert any("is not used (`split: {kind: file}` reads it)" in one for one in ours.notices)


def test_images_are_split_as_their_tiers_say_bin_by_bin(truth: World, tmp_path: Path) -> None:
    place = sensorium2022(tmp_path / "scan", truth)
    tiers = np.array([("train", "train", "validation", "test", "bonus")[index % 5] for index in range(200)])
    np.save(place / "meta" / "trials" / "tiers.npy", tiers)
    data = config_of(place, ["split={kind: file}"]).open(torch.device("cpu"))
    np.testing.assert_array_equal(data.splits[0].label, np.tile([0, 0, 1, 2, -1], 40))
    assert "the split by the tiers of its files (80 train, 40 validation, 40 test bins) is used" in data.notices[1]
    assert "tiers that are in no split of the lab's own: bonus" in told(data.recordings[0], "inferred")


def test_a_shown_image_of_sensorium_comes_with_its_own_behaviour(truth: World, tmp_path: Path) -> None:
    place = sensorium2022(tmp_path / "scan", truth)
    found = read_sensorium2022(place)
    np.testing.assert_array_equal(found.stimulus, truth.stimulus[:200])
    np.testing.assert_array_equal(found.spikes, truth.spikes[:200] * np.float32(0.5))
    data = config_of(place).open(torch.device("cpu"))
    image = int(data.bins("test")[0][3])
    windows = data.windows(0, np.array([image]))
    mean, std = data.statistics[0].behavior_mean, data.statistics[0].behavior_std
    own = windows.behavior[0, 0].numpy() * std + mean
    np.testing.assert_allclose(own[:2], truth.behavior[image], rtol=1e-3, atol=1e-4)


def test_bits_per_spike_of_calcium_is_refused(truth: World, tmp_path: Path) -> None:
    place = sensorium2023(tmp_path / "scan", truth)
    with pytest.raises(AblateError, match="holds calcium responses, and bits/spike counts spikes") as error:
        config_of(place, ["metric=bits_per_spike", "window=16", "warmup=8"]).open(torch.device("cpu"))
    assert error.value.problems[0].hint == "write `metric: correlation`"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "data/responses/3.npy").unlink(), None),
        (
            lambda d: np.save(d / "data/videos/2.npy", np.zeros((6, 5))),
            r"data/videos/2\.npy: must be numbers with axes \(h, w, t\)",
        ),
        (lambda d: np.save(d / "data/videos/2.npy", np.zeros((6, 4, 90))), r"videos/2\.npy: has \(6, 4\) a frame"),
        (lambda d: np.save(d / "data/responses/2.npy", np.zeros((4, 90))), r"responses/2\.npy: has \(4,\) a frame"),
        (lambda d: np.save(d / "data/behavior/2.npy", np.zeros((2, 60))), r"behavior/2\.npy: has 60 samples"),
        (lambda d: np.save(d / "data/responses/2.npy", np.full((3, 90), -1.0)), "contains a negative response"),
        (lambda d: np.save(d / "meta/trials/tiers.npy", np.array(["train"] * 5)), "has 5 tiers"),
        (lambda d: np.save(d / "meta/trials/tiers.npy", np.arange(12)), "must be text"),
        (lambda d: (d / "data/responses/1.npy").write_bytes(b"no array"), "1.npy is not a .npy file"),
        (lambda d: (d / "data/videos/1.npy").unlink(), r"responses/1\.npy: trial 1 has no stimulus"),
    ],
)
def test_what_is_wrong_in_a_scan_is_named_with_its_file(damage, message, truth: World, tmp_path: Path) -> None:
    place = sensorium2023(tmp_path / "scan", truth)
    damage(place)
    config = config_of(place)
    if message is None:  # trials without responses are left out, and told
        assert "1 trials of tier train without responses" in told(config.checked(place), "not_used")
        return
    with pytest.raises(AblateError, match=message) as error:
        config.folders()
    assert len(error.value.problems) == 1
    assert str(place) in str(error.value), "the lab's file, not our cache"
    assert not inspected(place).readable


# ------------------------------------------------------------------ open-retina


def test_stimuli_of_open_retina_follow_each_other_as_trials(truth: World, tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="h5py writes these files")
    place = openretina(tmp_path, truth)
    found = read_openretina(place)
    np.testing.assert_array_equal(found.stimulus, truth.stimulus)
    np.testing.assert_array_equal(found.spikes, truth.spikes)
    np.testing.assert_array_equal(found.trials, np.repeat([0, 1], 450))
    assert (found.signal, found.bin_rate_hz) == ("spikes", 50.0)
    assert "roi_mask" in told(found, "not_used")
    assert "session_info (eye)" in told(found, "not_used")
    one = read_openretina(place, OpenRetinaConfig(stimuli=("noise",)))
    assert one.frames == 450
    assert "responses_own" in told(one, "not_used")


def test_colour_rate_and_missing_stimuli_of_open_retina_are_asked_for(truth: World, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py writes these files")
    place = openretina(tmp_path, truth, channels=2)
    with pytest.raises(AblateError, match="has 2 colour channels") as error:
        read_openretina(place)
    assert "`channel: 0` (to 1) or `channel: mean`" in error.value.problems[0].hint
    np.testing.assert_array_equal(read_openretina(place, OpenRetinaConfig(channel=1)).stimulus, truth.stimulus)
    with h5py.File(place, "a") as file:
        del file["session_info/sampling_rate"]
    with pytest.raises(AblateError, match="session_info does not tell the rate"):
        read_openretina(place, OpenRetinaConfig(channel=0))
    (tmp_path / "stimuli" / "noise.npy").unlink()
    with pytest.raises(AblateError, match="the stimulus of responses_noise is missing"):
        read_openretina(place, OpenRetinaConfig(channel=0, bin_rate_hz=50))
    place.write_bytes(b"nothing")
    with pytest.raises(AblateError, match="is no HDF5 file"):
        read_openretina(place)


# ------------------------------------------------------------------ VisionCore


def test_a_dset_gives_counts_eye_and_the_bins_that_do_not_count(truth: World, tmp_path: Path) -> None:
    found = read_visioncore(visioncore(tmp_path, truth))
    np.testing.assert_array_equal(found.stimulus, truth.stimulus)
    np.testing.assert_array_equal(found.spikes, truth.spikes)
    np.testing.assert_allclose(found.behavior, truth.behavior)
    assert found.valid is not None
    assert not found.valid[100:120].any()
    assert found.valid[:100].all()
    assert found.bin_rate_hz == 50.0
    assert found.notes["first_bin_s"] == 5.0
    assert "covariates/dpi_pix" in told(found, "not_used")


class Program:
    """What a pickle may hold."""


def test_a_dset_with_a_program_in_it_is_never_opened(truth: World, tmp_path: Path) -> None:
    place = tmp_path / "day.dset"
    torch.save({"covariates": {}, "metadata": Program()}, place)
    with pytest.raises(AblateError, match="holds more than tensors, and is not opened"):
        read_visioncore(place)
    torch.save({"covariates": {"stim": torch.zeros(4, 2, 2)}}, place)
    with pytest.raises(AblateError, match="has no `robs`"):
        read_visioncore(place)
    saved = {"stim": torch.zeros(4, 2, 2), "robs": torch.zeros(5, 2), "t_bins": torch.arange(5.0)}
    torch.save({"covariates": saved}, place)
    with pytest.raises(AblateError, match="`stim` has 4 bins, `robs` has 5"):
        read_visioncore(place)
    torch.save({"covariates": {"stim": torch.zeros(5, 2, 2), "robs": torch.zeros(5, 2)}}, place)
    with pytest.raises(AblateError, match="its rate is not known"):
        read_visioncore(place)
    place.write_bytes(b"nothing")
    with pytest.raises(AblateError):
        read_visioncore(place)


# ------------------------------------------------------------------ experanto


def test_experanto_counts_spikes_in_the_frames_of_the_screen(truth: World, tmp_path: Path) -> None:
    found = read_experanto(experanto(tmp_path / "s", truth))
    np.testing.assert_array_equal(found.stimulus, truth.stimulus)
    np.testing.assert_array_equal(found.spikes, truth.spikes)
    np.testing.assert_allclose(found.behavior, truth.behavior[:, :1], rtol=1e-5)
    np.testing.assert_array_equal(found.trials, np.repeat(np.arange(10), 90))
    assert "blanks (time_interval)" in told(found, "not_used")
    assert found.notes["first_bin_s"] == 5.0


def test_experanto_responses_may_be_calcium_and_bins_of_ones_own(truth: World, tmp_path: Path) -> None:
    place = experanto(tmp_path / "s", truth, spikes=False)
    found = read_experanto(place)
    np.testing.assert_allclose(found.spikes, truth.spikes * 0.5)
    assert found.signal == "calcium"
    half = read_experanto(place, ExperantoConfig(bin_rate_hz=25))
    np.testing.assert_array_equal(half.stimulus, truth.stimulus[::2])
    np.testing.assert_allclose(half.spikes, truth.spikes.reshape(450, 2, UNITS).mean(1) * 0.5, rtol=1e-6)


def in_milliseconds(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for name in names:
            np.save(folder / name, 1000 * np.load(folder / name))

    return damage


@pytest.mark.parametrize(
    "litter", ["screen/data/._00000.npy", "._responses", ".DS_Store", ".ipynb_checkpoints/meta.yml"]
)
def test_what_a_mac_or_an_editor_leaves_in_a_session_is_passed_over(litter: str, truth: World, tmp_path: Path) -> None:
    place = experanto(tmp_path / "s", truth)
    meant = read_experanto(place)
    (place / litter).parent.mkdir(exist_ok=True)
    (place / litter).write_bytes(b"modality: screen")
    found = read_experanto(place)
    np.testing.assert_array_equal(found.stimulus, meant.stimulus)
    assert found.notes == meant.notes


@pytest.mark.parametrize("linked", ["data", "data/videos", "meta", "data/videos/3.npy"])
def test_parts_of_a_scan_may_be_links_to_another_disk(linked: str, truth: World, tmp_path: Path) -> None:
    place = sensorium2023(tmp_path / "scan", truth)
    meant = read_sensorium2023(place)
    shutil.move(place / linked, tmp_path / "elsewhere")
    (place / linked).symlink_to(tmp_path / "elsewhere")
    np.testing.assert_array_equal(read_sensorium2023(place).stimulus, meant.stimulus)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / "responses/meta.yml").write_text("modality: spikes"), "no `spike_indices`"),
        (
            lambda d: (d / "responses/meta.yml").write_text("modality: spikes\nspike_indices: [0, 3]"),
            "must rise from 0",
        ),
        (lambda d: (d / "treadmill/meta.yml").write_text("modality: sequence"), "tells no `sampling_rate`"),
        (lambda d: (d / "screen/meta/00002.yml").write_text("tier: train"), "tells no `first_frame_idx`"),
        (lambda d: (d / "screen/meta/00002.yml").write_text("first_frame_idx: 880"), "ends at frame 970"),
        (lambda d: (d / "screen/meta/00002.yml").write_text("first_frame_idx: 5"), "two clips claim the same frames"),
        (lambda d: (d / "screen/data/00001.mp4").write_text(""), r"00001\.mp4 is no \.npy file"),
        (lambda d: shutil.rmtree(d / "responses"), "no folder holds the recorded cells"),
        (lambda d: shutil.rmtree(d / "screen"), "has no folder of modality screen"),
        (lambda d: np.save(d / "screen/timestamps.npy", np.zeros(900)), "its times do not rise at entry 1"),
        (
            in_milliseconds("screen/timestamps.npy"),
            "no spike falls into the stimulus, which lasts from 5000 to 23000 s",
        ),
        (in_milliseconds("responses/spikes.npy"), "no spike falls into the stimulus, which lasts from 5 to 23 s"),
        (
            in_milliseconds("screen/timestamps.npy", "responses/spikes.npy"),
            "bin_rate_hz: 0.05 would make a bin last 20 s",
        ),
        (lambda d: (d / "screen/meta.yml").write_bytes(b"modality: Gr\xf6\xdfe"), r"meta.yml, line 1: is not UTF-8"),
        (
            lambda d: (d / "screen/meta.yml").write_text("modality: a\nmodality: b"),
            "line 2: is not YAML: found duplicate",
        ),
    ],
)
def test_what_is_wrong_in_an_experanto_session_is_named(damage, message, truth: World, tmp_path: Path) -> None:
    place = experanto(tmp_path / "s", truth)
    damage(place)
    with pytest.raises(AblateError, match=message):
        config_of(place).checked(place)


# ------------------------------------------------------------------ NWB


@pytest.mark.parametrize("axes", ["tyx", "txy"])
@pytest.mark.parametrize("layout", ["series", "jitter", "table"])
def test_nwb_gives_the_frames_the_counts_and_the_behaviour_of_each_bin(
    layout: str, axes: str, truth: World, tmp_path: Path
) -> None:
    pytest.importorskip("pynwb", reason="pynwb writes these files")
    found = read_nwb(nwb(tmp_path, truth, layout=layout, axes=axes))
    np.testing.assert_array_equal(found.stimulus, truth.stimulus)
    if layout != "jitter":  # there a spike at its frame's very onset falls before it as often as not
        np.testing.assert_array_equal(found.spikes, truth.spikes)
        np.testing.assert_allclose(found.behavior[:, 0], truth.behavior[:, 0], rtol=1e-5)
    assert found.behavior_names == ("speed", "pupil_0", "pupil_1") or set(found.behavior_names) == {
        "speed", "pupil_0", "pupil_1",
    }  # fmt: skip
    assert found.bin_rate_hz == pytest.approx(50, rel=1e-3)
    assert found.valid is not None
    assert found.valid[:839].all()
    assert not found.valid[841:].any()
    assert found.notes["first_bin_s"] == pytest.approx(5.0, abs=1e-3)
    for name in ("acquisition/sync", "processing/ecephys/lfp"):
        assert name in told(found, "not_used")
    assert "units columns quality, for `units: {quality, file}`" in told(found, "read")
    assert found.unit_table == {"id": ("0", "1", "2"), "quality": ("good",) * 3}


def test_units_of_nwb_are_chosen_by_their_column(truth: World, tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason="pynwb writes these files")
    place = nwb(tmp_path, truth)
    windows = {"window": 16, "warmup": 8, "min_spikes": 1, "split": {"blocks": 1}}
    good = NwbConfig(path=str(place), units={"quality": ["good"]}, **windows).open(torch.device("cpu"))
    assert not good.not_asked[0].any()
    assert not any("units.csv" in notice for notice in good.notices)
    with pytest.raises(AblateError, match=r"no unit is labelled `mua`(.|\n)*labels are good \(3\)"):
        NwbConfig(path=str(place), units={"quality": ["mua"]}, **windows).open(torch.device("cpu"))


def test_an_index_series_shows_the_images_of_its_template(truth: World, tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason="pynwb writes these files")
    place = nwb(tmp_path, truth, layout="index")
    with pytest.raises(AblateError, match="the file does not tell which axis is the width"):
        read_nwb(place)
    found = read_nwb(place, NwbConfig(axes="tyx"))
    np.testing.assert_array_equal(found.stimulus, truth.stimulus[np.arange(900) % 20])


def test_what_is_unclear_in_nwb_names_the_one_setting_that_decides(truth: World, tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason="pynwb writes these files")
    place = nwb(tmp_path / "a", truth, dimension=False)
    with pytest.raises(AblateError, match="does not tell which axis is the width") as error:
        read_nwb(place)
    assert "`axes: tyx`" in error.value.problems[0].hint
    np.testing.assert_array_equal(read_nwb(place, NwbConfig(axes="tyx")).stimulus, truth.stimulus)
    place = nwb(tmp_path / "b", truth, others=True)
    with pytest.raises(AblateError, match="holds 2 stimuli with frames") as error:
        read_nwb(place)
    assert error.value.problems[0].hint == "write `stimulus: ...`, one of grating, movie"
    found = inspected(place)
    assert not found.readable
    assert any("behavior_from: [behavior/pupil, behavior/speed]" in line for line in found.lines)
    one = read_nwb(place, NwbConfig(stimulus="movie", behavior_from=("behavior/speed",)))
    assert one.behavior_names == ("speed",)
    assert "stimulus grating" in told(one, "not_used")
    assert "processing/behavior/pupil" in told(one, "not_used")
    with pytest.raises(AblateError, match="holds no behaviour `behavior/sped`"):
        read_nwb(place, NwbConfig(stimulus="movie", behavior_from=("behavior/sped",)))


def test_bins_of_ones_own_hold_the_frame_that_was_on_the_screen(truth: World, tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason="pynwb writes these files")
    found = read_nwb(nwb(tmp_path, truth), NwbConfig(bin_rate_hz=100))
    np.testing.assert_array_equal(found.stimulus, np.repeat(truth.stimulus, 2, axis=0))
    np.testing.assert_array_equal(found.spikes.reshape(900, 2, UNITS).sum(1), truth.spikes)


def test_what_is_no_nwb_file_is_told(tmp_path: Path) -> None:
    pytest.importorskip("pynwb", reason="pynwb writes these files")
    place = tmp_path / "x.nwb"
    place.write_bytes(b"nothing")
    with pytest.raises(AblateError, match="is no NWB 2 file"):
        read_nwb(place)


def test_an_unknown_folder_is_told_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(AblateError, match="holds nothing that is known") as error:
        inspected(tmp_path)
    assert "Neurodata Without Borders" in error.value.problems[0].hint


def test_a_recording_of_our_own_is_named_too(truth: World, tmp_path: Path) -> None:
    recording = read_visioncore(visioncore(tmp_path / "lab", truth))
    write_recording(tmp_path / "ours", recording)
    found = inspected(tmp_path / "ours")
    assert (found.kind, found.readable) == ("recordings", True)
    assert any(line.startswith("read as: 900 bins of 50 Hz") for line in found.lines)
