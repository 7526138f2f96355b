"""Every array of every format, in every type, byte order and memory order that numpy and torch write: the same numbers
are read, or the file is refused where it is read, with its name. Nothing is left to fail in the middle of a run."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from data_samples import noise_recording
from lab_files import World, experanto, nwb, openretina, sensorium2022, sensorium2023, visioncore

from ablate.data.encoding.reading.frames import FrameStore, content_hash
from ablate.data.formats.inspect import config_of
from ablate.data.recording import Recording, read_recording, write_recording
from ablate.errors import AblateError

FRAMES = 80
NUMBERS = (
    "?",
    "i1",
    "u1",
    "i2",
    ">i2",
    ">u2",
    "i4",
    ">i4",
    "u4",
    "i8",
    ">i8",
    "u8",
    "f2",
    ">f2",
    "f4",
    ">f4",
    "f8",
    ">f8",
    "g",
)
OTHERS = ("c8", ">c16", "U1", "S1", "M8[s]", "m8[s]", "V4", "i4,f8", "O")
TORCH = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "uint16",
    "uint32",
)
ARRAYS = (
    "stimulus",
    "spikes",
    "behavior",
    "behavior_valid",
    "valid",
    "trials",
    "split",
    "rates",
    "floor_rates",
    "repeats",
    "repeat_stimulus",
)


def binary_world() -> World:
    """Every value is 0 or 1, and a bin lasts a second, so that each type of number can hold all of it."""
    random = np.random.default_rng(0)
    stimulus = random.integers(0, 2, (FRAMES, 6, 5), dtype=np.uint8)
    spikes = np.stack([stimulus[:, row, row] for row in range(3)], axis=1)
    return World(1.0, stimulus, spikes, random.integers(0, 2, (FRAMES, 2)).astype(np.float32))


def versions(values: np.ndarray, types: tuple[str, ...] = (*NUMBERS, *OTHERS)) -> Iterator[tuple[str, np.ndarray]]:
    """The array in each type, then in other memory orders and in shapes that it must not have."""
    for dtype in types:
        yield dtype, as_type(values, dtype)
    yield "Fortran", np.asfortranarray(values)
    yield "big-endian Fortran", np.asfortranarray(values.astype(">f8"))
    yield "0-d", np.array(1)
    yield "empty", values[:0]
    yield "no values", np.zeros((*values.shape[:-1], 0), values.dtype)


def as_type(values: np.ndarray, dtype: str) -> np.ndarray:
    if dtype in ("V4", "i4,f8"):
        return np.zeros(values.shape, dtype)
    return values.astype(np.int64).astype(dtype)


def same_or_refused(meant: Recording, read: Callable[[], Recording], name: str, place: Path) -> Recording | None:
    """What was read. place: whose name a refusal must hold."""
    found = read_or_refusal(read)
    if isinstance(found, str):
        assert place.name in found, f"{name}: {found}"
        return None
    for array in ARRAYS:
        one, other = getattr(found, array), getattr(meant, array)
        assert (one is None) == (other is None), f"{name}: {array}"
        if one is not None:
            np.testing.assert_array_equal(one, other, err_msg=f"{name}: {array}")
    return found


def read_or_refusal(read: Callable[[], Recording]) -> Recording | str:
    try:
        return read()
    except AblateError as error:
        return str(error)


def in_memory(recording: Recording) -> Recording:
    """Not mapped to files that are about to be written anew."""
    return replace(recording, **{name: np.array(getattr(recording, name)) for name in ARRAYS})


def used(recording: Recording) -> None:
    """What a run does with each array."""
    store, rows = FrameStore(recording, torch.device("cpu")), torch.tensor([[0, 5, FRAMES - 1]])
    np.testing.assert_array_equal(store.stimulus(rows).numpy(), np.asarray(recording.stimulus, np.float32)[rows])
    np.testing.assert_array_equal(store.spikes(rows).numpy(), np.asarray(recording.spikes, np.float32)[rows])
    assert store.valid(rows).dtype == torch.bool
    if recording.behavior is not None:
        assert store.behavior(rows).dtype == torch.float32
    assert len(content_hash(recording)) == 64


# ------------------------------------------------------------------ folders of .npy files

LABS = {
    "sensorium2023": lambda place, world: sensorium2023(place, world, clip=20, padding=0),
    "sensorium2022": lambda place, world: sensorium2022(place, world, trials=FRAMES),
    "experanto": lambda place, world: experanto(place, world, clip=20),
    "calcium": lambda place, world: experanto(place, world, clip=20, spikes=False),
}
FILES = {
    "sensorium2023": ("data/videos/*.npy", "data/responses/*.npy", "data/behavior/*.npy", "data/pupil_center/*.npy"),
    "sensorium2022": ("data/images/*.npy", "data/responses/*.npy", "data/behavior/*.npy", "data/pupil_center/*.npy"),
    "experanto": ("screen/data/*.npy", "screen/timestamps.npy", "responses/spikes.npy", "responses/spike_indices.npy"),
    "calcium": ("responses/data.npy",),
}


@pytest.fixture(params=[(lab, pattern) for lab, patterns in FILES.items() for pattern in patterns], ids="-".join)
def spoiled(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A lab's folder in which one kind of file holds whole numbers."""
    lab, pattern = request.param
    place = LABS[lab](tmp_path / "one", binary_world())
    if pattern.endswith("spike_indices.npy"):
        meta = place / "responses" / "meta.yml"
        limits = meta.read_text().partition("[")[2].partition("]")[0]
        np.save(place / pattern, np.array([int(one) for one in limits.split(",")]))
        meta.write_text("modality: spikes\n")
    for path in place.glob(pattern):
        values = np.load(path)
        np.save(path, np.floor(values) if "times" in pattern or "spike" in pattern else (values > 0).astype(np.int64))
    return place, pattern


def test_every_npy_file_of_a_lab_is_read_right_or_refused_where_it_is_read(
    spoiled: tuple[Path, str], tmp_path: Path
) -> None:
    place, pattern = spoiled
    config, files = config_of(place), sorted(place.glob(pattern))
    originals = [np.load(path) for path in files]
    meant, taken = config.checked(place), []
    for number, (name, _) in enumerate(versions(originals[0])):
        for path, values in zip(files, originals, strict=True):
            np.save(path, list(versions(values))[number][1], allow_pickle=True)
        if same_or_refused(meant, lambda: config.checked(place), f"{pattern} {name}", place):
            taken.append(name)
    assert {"f4", "f8", "i4", ">i4", ">f8", "f2", "g", "Fortran"} <= set(taken), taken
    assert not {"c8", "U1", "S1", "O", "M8[s]", "0-d", "empty"} & set(taken), taken
    write_recording(tmp_path / "ours", meant)
    used(read_recording(tmp_path / "ours"))


@pytest.mark.parametrize("text", ["U20", "S20"])
def test_tiers_are_text_of_any_kind(text: str, tmp_path: Path) -> None:
    place = LABS["sensorium2023"](tmp_path / "one", binary_world())
    meant = config_of(place).checked(place)
    np.save(place / "meta/trials/tiers.npy", np.load(place / "meta/trials/tiers.npy").astype(text))
    assert same_or_refused(meant, lambda: config_of(place).checked(place), text, place)


@pytest.mark.parametrize("dtype", [*NUMBERS[:-1], "c8", "S1", "nothing"])
def test_a_raw_file_of_experanto_is_read_by_the_type_that_it_is_said_to_have(dtype: str, tmp_path: Path) -> None:
    place = LABS["experanto"](tmp_path / "one", binary_world())
    folder, values = place / "treadmill", np.repeat(binary_world().behavior[:, :1], 4, axis=0)
    meant = config_of(place).checked(place)
    if dtype != "nothing":
        values.astype(np.int64).astype(dtype).tofile(folder / "data.mem")
    text = (folder / "meta.yml").read_text().replace("dtype: float32", f"dtype: '{dtype}'")
    (folder / "meta.yml").write_text(text)
    read = same_or_refused(meant, lambda: config_of(place).checked(place), dtype, folder)
    assert (read is not None) == (dtype in NUMBERS)


def test_every_array_of_our_own_folder_is_read_right_or_refused_where_it_is_read(tmp_path: Path) -> None:
    place, ones = tmp_path / "rec", np.random.default_rng(1).integers(0, 2, (FRAMES, 3))
    trials = np.repeat([0, 1], FRAMES // 2)
    write_recording(
        place,
        noise_recording(
            "rec", FRAMES, spikes=ones, behavior=ones.astype(np.float32), behavior_valid=ones > 0, valid=ones > 0,
            trials=trials, split=trials, stimulus=ones[:, :, None].astype(np.uint8), rates=ones.astype(np.float32),
            floor_rates=ones.astype(np.float32), repeats=np.stack([ones[:20]] * 4),
            repeat_stimulus=ones[:20, :, None].astype(np.uint8),
        ),
    )  # fmt: skip
    meant = in_memory(read_recording(place))
    for array in ARRAYS:
        original, taken = np.load(place / f"{array}.npy"), []
        for name, values in versions(original):
            np.save(place / f"{array}.npy", values, allow_pickle=True)
            found = same_or_refused(meant, lambda: read_recording(place), f"{array} {name}", place)
            if found is not None:
                taken.append(name)
                used(found)
        np.save(place / f"{array}.npy", original)
        needed = {"behavior_valid": {"?"}, "valid": {"?"}}.get(
            array, {"i4", ">i4"} if array in ("trials", "split") else {"f4", ">f8", "g"}
        )
        assert {*needed, "Fortran"} <= set(taken), f"{array}: {taken}"
        assert not set(OTHERS) & set(taken), f"{array}: {taken}"


# ------------------------------------------------------------------ files that a library writes


def test_every_tensor_of_a_dset_is_read_right_or_refused_where_it_is_read(tmp_path: Path) -> None:
    place = visioncore(tmp_path, binary_world())
    saved = torch.load(place, weights_only=True)
    saved["covariates"] = {name: values.to(torch.int64) for name, values in saved["covariates"].items()}
    torch.save(saved, place)
    config, original = config_of(place), saved["covariates"]
    meant = config.checked(place)
    for name, values in original.items():
        spoilt = {dtype: values.to(getattr(torch, dtype)) for dtype in TORCH}
        spoilt |= {
            "strided": torch.stack([values, values], dim=-1)[..., 0],
            "0-d": torch.tensor(1),
            "empty": values[:0],
        }
        spoilt |= {"needs gradients": torch.nn.Parameter(values.float()), "sparse": values.float().to_sparse()}
        taken = []
        for kind, one in spoilt.items():
            torch.save({"covariates": {**original, name: one}}, place)
            if same_or_refused(meant, lambda: config.checked(place), f"{name} {kind}", place):
                taken.append(kind)
        assert {"float16", "float32", "float64", "int16", "strided"} <= set(taken), f"{name}: {taken}"
        if name in ("stim", "robs", "eyepos"):
            assert not {"complex64", "0-d", "empty"} & set(taken), f"{name}: {taken}"


HDF5 = ("?", "i1", ">i2", "u2", "i8", ">u4", "f2", ">f4", "f8", "c8", "S1", "i4,f8")


@pytest.mark.parametrize("dataset", ["responses_noise", "stimulus_own", "stimuli/noise.npy"])
def test_every_array_of_open_retina_is_read_right_or_refused_where_it_is_read(dataset: str, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py writes these files")
    place = openretina(tmp_path, binary_world())
    config, beside = config_of(place), tmp_path / dataset
    meant, taken = config.checked(place), []
    with h5py.File(place) as file:
        original = np.load(beside) if beside.suffix == ".npy" else np.asarray(file[dataset])
    for name, values in versions(original, HDF5):
        if beside.suffix == ".npy":
            np.save(beside, values)
        else:
            with h5py.File(place, "a") as file:
                del file[dataset]
                file[dataset] = values
        if same_or_refused(
            meant, lambda: config.checked(place), f"{dataset} {name}", beside if beside.suffix == ".npy" else place
        ):
            taken.append(name)
    assert {"?", "i1", ">i2", "i8", "f2", ">f4", "Fortran"} <= set(taken), taken
    assert not {"c8", "S1", "i4,f8", "0-d", "empty"} & set(taken), taken


NWB = ("i1", ">i2", "u8", "f2", ">f4", "f8", "c8", "S1")


@pytest.mark.parametrize(
    ("layout", "dataset"),
    [("series", "stimulus/presentation/movie/data"), ("jitter", "stimulus/presentation/movie/timestamps"),
     ("series", "units/spike_times"), ("series", "processing/behavior/pupil/data")],
)  # fmt: skip
def test_every_array_of_nwb_is_read_right_or_refused_where_it_is_read(
    layout: str, dataset: str, tmp_path: Path
) -> None:
    pytest.importorskip("pynwb", reason="pynwb writes these files")
    import h5py

    place = nwb(tmp_path, binary_world(), layout=layout)
    config = config_of(place, ["axes=tyx"])
    with h5py.File(place) as file:
        original = np.round(file[dataset][:]) if "times" in dataset else file[dataset][:]
    taken = []

    def put(values: np.ndarray) -> None:
        with h5py.File(place, "a") as file:
            attributes = dict(file[dataset].attrs)
            del file[dataset]
            file[dataset] = values
            file[dataset].attrs.update(attributes)

    put(original)
    meant = config.checked(place)
    for dtype in NWB if "pupil" not in dataset else NWB[:-2]:  # what holds no numbers is no behaviour, and named
        put(as_type(original, dtype))
        if same_or_refused(meant, lambda: config.checked(place), f"{dataset} {dtype}", place):
            taken.append(dtype)
    assert {"i1", ">i2", "f2", ">f4", "f8"} <= set(taken), taken
    assert not {"c8", "S1"} & set(taken), taken
