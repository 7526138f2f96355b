"""Recording folders: what is read is what was written, and every fault is one clear message."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_samples import noise_recording

from ablate.data.encoding.recordings import RecordingsConfig
from ablate.data.recording import read_recording, write_recording
from ablate.disk.stamp import stamp_of
from ablate.errors import AblateError

FRAMES = 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound recording, to be spoiled."""
    place = tmp_path / "rec"
    write_recording(place, noise_recording("rec", FRAMES, behavior_names=("row", "noise"), notes={"species": "cat"}))
    return place


def test_what_is_read_is_what_was_written(folder: Path) -> None:
    read, meant = read_recording(folder), noise_recording("rec", FRAMES)
    assert (read.name, read.bin_rate_hz, read.behavior_names) == ("rec", 100.0, ("row", "noise"))
    assert read.notes == {"species": "cat"}
    for name in ("stimulus", "spikes", "behavior", "rates"):
        np.testing.assert_array_equal(getattr(read, name), getattr(meant, name))
    assert isinstance(read.stimulus, np.memmap)


def save(name: str, array: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / f"{name}.npy", array)


def put(text: str, encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda folder: (folder / "recording.yaml").write_bytes(text.encode(encoding)) and None


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def cut_short(folder: Path) -> None:
    """A header that tells of more than there is."""
    data = (folder / "stimulus.npy").read_bytes()
    (folder / "stimulus.npy").write_bytes(data.replace(b"(200, 4, 5)", b"(900, 4, 5)"))


def pickled(folder: Path) -> None:
    np.save(folder / "spikes.npy", np.array([[1, None]], dtype=object), allow_pickle=True)


def with_one(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    array = array.copy()
    array[place] = value
    return array


def with_nan(shape: tuple[int, ...]) -> np.ndarray:
    array = np.zeros(shape, np.float32)
    array[-1] = np.nan
    return array


COUNTS = np.ones((FRAMES, 3))
FAULTS = {
    "recording.yaml is missing": remove("recording.yaml"),
    "stimulus.npy is missing": remove("stimulus.npy"),
    "spikes.npy is missing": remove("spikes.npy"),
    "recording.yaml has no bin_rate_hz": put("name: x\n"),
    "recording.yaml, line 2: is not YAML: expected the node content, but found '<stream end>'": put("name: [\n"),
    "recording.yaml must hold keys and values": put("- 1\n"),
    "bin_rate_hz must be a positive number, not 'fast'": put("bin_rate_hz: fast\n"),
    "bin_rate_hz must be a positive number, not 0": put("bin_rate_hz: 0\n"),
    "the recording's name is empty": put("bin_rate_hz: 9\nname: ''\n"),
    "behavior_names must be a list of names": put("bin_rate_hz: 9\nbehavior_names: 7\n"),
    "3 behavior_names for 2 columns of behavior": put("bin_rate_hz: 9\nbehavior_names: [a, b, c]\n"),
    "stimulus.npy is not a .npy file": lambda folder: (folder / "stimulus.npy").write_text("hello") and None,
    "stimulus.npy tells of 18128 bytes (shape (900, 4, 5), uint8) but has 4128": cut_short,
    "spikes.npy holds pickled objects, which are never loaded": pickled,
    "stimulus must hold numbers, not complex64": save("stimulus", np.zeros((FRAMES, 4, 5), np.complex64)),
    "stimulus must have axes (t, h, w), not shape (200, 4)": save("stimulus", np.zeros((FRAMES, 4), np.uint8)),
    "stimulus is empty, shape (0, 4, 5)": save("stimulus", np.zeros((0, 4, 5), np.uint8)),
    "stimulus contains NaN or infinity: stimulus[199, 0, 0] is nan": save("stimulus", with_nan((FRAMES, 4, 5))),
    "behavior contains NaN or infinity: behavior[199, 0] is nan": save("behavior", with_nan((FRAMES, 2))),
    "behavior has 150 bins, shorter than the stimulus with 200 frames": save(
        "behavior", np.zeros((150, 2), np.float32)
    ),
    "behavior must be float32 (t, k), not float32 of shape (200,)": save("behavior", np.zeros(FRAMES, np.float32)),
    "spikes must hold numbers, not <U1": save("spikes", np.full((FRAMES, 3), "a")),
    "spikes must have axes (t, u), not shape (200,)": save("spikes", np.zeros(FRAMES, np.uint8)),
    "spikes has no units": save("spikes", np.zeros((FRAMES, 0), np.uint8)),
    "spikes has 150 bins, shorter than the stimulus with 200 frames": save("spikes", COUNTS[:150]),
    "spikes has 201 bins, longer than the stimulus with 200 frames": save("spikes", np.ones((201, 3))),
    "spikes contains negative counts: spikes[0, 0] is -1": save("spikes", -COUNTS),
    "spikes contains counts that are not whole numbers: spikes[0, 0] is 0.5": save("spikes", COUNTS / 2),
    "valid has shape (200, 2), spikes has (200, 3)": save("valid", np.ones((FRAMES, 2), bool)),
    "valid must be bool (t, u), not int64 of shape (200, 3)": save("valid", np.ones((FRAMES, 3), np.int64)),
    "trials must be int (t,), not float64 of shape (200,)": save("trials", np.ones(FRAMES)),
    "spikes contains counts that no neuron can fire in a bin of 10 ms: spikes[7, 2] is 1e+09": save(
        "spikes", with_one(COUNTS, (7, 2), 1e9)
    ),
    "stimulus contains NaN or infinity: stimulus[3, 1, 1] is inf": save(
        "stimulus", with_one(np.zeros((FRAMES, 4, 5)), (3, 1, 1), 1e300)
    ),
    "bin_rate_hz: 0.0333 would make a bin last 30 s": put("bin_rate_hz: 0.0333\n"),
    "bin_rate_hz: 1e+06 would make a bin last 1e-06 s": put("bin_rate_hz: 1000000\n"),
    "bin_rate_hz must be a positive number, not datetime.date(2024, 1, 1)": put("bin_rate_hz: 2024-01-01\n"),
    "the recording's name must be text, not ['a']": put("bin_rate_hz: 9\nname: [a]\n"),
    "recording.yaml: `behaviour_names` is not read": put("bin_rate_hz: 9\nbehaviour_names: [a, b]\n"),
    "recording.yaml: `bin_rate` is not read": put("bin_rate: 9\n"),
    "repeats has 2 units, spikes has 3": save("repeats", np.ones((5, 40, 2))),
    "repeats must be counts (r, t, u), not float64 of shape (5,)": save("repeats", np.ones(5)),
    "repeats contains negative counts: repeats[0, 0, 0] is -1": save("repeats", -np.ones((5, 40, 3))),
    "repeat_stimulus.npy has no repeats.npy with the counts of its showings": save(
        "repeat_stimulus", np.zeros((40, 4, 5), np.uint8)
    ),
    "rates contains negative rates: rates[0, 0] is -1": save("rates", -COUNTS.astype(np.float32)),
    "recording.yaml, line 2: is not UTF-8 (byte 0xf6)": put("bin_rate_hz: 9\nnote: Größe\n", "latin-1"),
    "recording.yaml, line 1: is not UTF-8 (byte 0xff)": put("bin_rate_hz: 9\n", "utf-16"),
    'recording.yaml, line 2: is not YAML: found duplicate key "bin_rate_hz"': put("bin_rate_hz: 9\nbin_rate_hz: 8\n"),
    "recording.yaml, line 2: is not YAML: found another document": put("bin_rate_hz: 9\n---\nbin_rate_hz: 8\n"),
    "recording.yaml, line 2: is not YAML: found character '\\t' that cannot start any token": put(
        "bin_rate_hz: 9\n\tname: x\n"
    ),
    "valid marks no bin of any unit as one that counts": save("valid", np.zeros((FRAMES, 3), bool)),
    "valid.npy is a link that leads nowhere": lambda folder: (folder / "valid.npy").symlink_to("nowhere.npy"),
    "valid.npy is a folder, not a file": lambda folder: (folder / "valid.npy").mkdir(),
    "trials has numbers below -1: trials[0] is -2": save("trials", np.arange(FRAMES) - 2),
    "trials holds 9223372036854775808, more than any number of trials": save(
        "trials", np.full(FRAMES, 2**63, np.uint64)
    ),
    "trials is a single number, not an array": save("trials", np.array(1)),
    "behavior is empty, shape (200, 0)": save("behavior", np.zeros((FRAMES, 0), np.float32)),
}


@pytest.mark.parametrize(("message", "spoil"), FAULTS.items(), ids=list(FAULTS))
def test_a_fault_is_one_clear_message(folder: Path, message: str, spoil: Callable[[Path], None]) -> None:
    spoil(folder)
    with pytest.raises(AblateError) as caught:
        read_recording(folder)
    (problem,) = caught.value.problems
    assert problem.what == message
    assert problem.where == str(folder)


@pytest.mark.parametrize(
    ("name", "array", "hint"),
    [
        ("spikes", COUNTS.T, "its axes look swapped, time comes first: write spikes.T"),
        ("behavior", np.zeros((2, FRAMES)), "its axes look swapped, time comes first: write behavior.T"),
        ("spikes", COUNTS[:, 0], "write a single unit as spikes[:, None]"),
        ("spikes", np.linspace(0, 3.3, 50), "times of spikes are counted in the bins of the stimulus first"),
        ("spikes", COUNTS * 0.4, "(not rates; calcium needs `signal: calcium`)"),
        ("behavior", np.zeros(FRAMES), "write a single column as behavior[:, None]"),
        ("stimulus", np.ones((FRAMES, 4, 5, 3)), "a model here sees one channel: write stimulus.mean(3)"),
        ("stimulus", np.ones((FRAMES, 3, 4, 5)), "a model here sees one channel: write stimulus.mean(1)"),
        ("stimulus", np.ones((FRAMES, 1, 4, 5)), "leave out its axis of one channel: stimulus[:, 0]"),
        ("stimulus", np.ones((FRAMES, 4, 5, 1)), "leave out its axis of one channel: stimulus[:, :, :, 0]"),
        ("stimulus", np.ones((4, 5, FRAMES)), "the stimulus looks like (h, w, t), time comes first"),
    ],
)
def test_axes_in_another_order_are_told_with_the_line_that_mends_them(
    folder: Path, name: str, array: np.ndarray, hint: str
) -> None:
    np.save(folder / f"{name}.npy", array)
    with pytest.raises(AblateError) as caught:
        read_recording(folder)
    assert hint in caught.value.problems[0].hint


@pytest.mark.parametrize("text", ["\ufeffbin_rate_hz: 60\n", "bin_rate_hz:\t60\n", "bin_rate_hz: 60\r\nname: rec\r\n"])
def test_marks_that_an_editor_leaves_change_nothing(folder: Path, text: str) -> None:
    put(text)(folder)
    assert read_recording(folder).bin_rate_hz == 60.0


def test_what_a_mac_leaves_beside_files_is_passed_over(folder: Path) -> None:
    for name in ("._stimulus.npy", "._recording.yaml", ".DS_Store"):
        (folder / name).write_bytes(b"\0\5\x16\7")
    (folder.parent / "._rec").write_bytes(b"")
    (folder.parent / ".tmp-rec-1").mkdir()
    (folder.parent / ".tmp-rec-1" / "recording.yaml").write_text("bin_rate_hz: 9\n")
    assert read_recording(folder).unread == ()
    assert RecordingsConfig(path=str(folder.parent)).folders() == (folder,)


def test_nan_in_bins_that_do_not_count_is_no_fault_and_elsewhere_is_one(folder: Path) -> None:
    spikes, valid = COUNTS.copy(), np.ones((FRAMES, 3), bool)
    spikes[5:9, 1], valid[5:9, 1] = np.nan, False
    np.save(folder / "spikes.npy", spikes)
    np.save(folder / "valid.npy", valid)
    assert not read_recording(folder).spikes[5:9, 1].any()
    np.save(folder / "valid.npy", np.roll(valid, 1, axis=0))
    with pytest.raises(AblateError, match=r"spikes\[5, 1\] is nan"):
        read_recording(folder)


@pytest.mark.parametrize(
    ("name", "meant"),
    {
        "behaviour.npy": "behavior.npy",
        "vaild.npy": "valid.npy",
        "Trials.npy": "trials.npy",
        "trials.npz": "trials.npy",
        "repeat.npy": "repeats.npy",
        "mask.npy": "valid.npy",
    }.items(),
)
def test_a_file_that_was_meant_to_be_read_is_refused_with_the_nearest_name(folder: Path, name: str, meant: str) -> None:
    (folder / "behavior.npy").unlink()
    (folder / name).write_bytes(b"")
    with pytest.raises(AblateError) as caught:
        read_recording(folder)
    (problem,) = caught.value.problems
    assert (problem.what, problem.hint) == (f"{name} is not read", f"did you mean {meant}? Rename it, or move it")


def test_misnamed_files_are_told_together_and_what_is_not_read_is_kept_by_name(folder: Path) -> None:
    for name in ("notes.txt", "spikes_before_sorting.npy", ".DS_Store"):
        (folder / name).write_bytes(b"")
    assert read_recording(folder).unread == ("notes.txt", "spikes_before_sorting.npy")
    for name in ("vaild.npy", "trails.npy"):
        (folder / name).write_bytes(b"")
    with pytest.raises(AblateError) as caught:
        read_recording(folder)
    assert [problem.what for problem in caught.value.problems] == ["trails.npy is not read", "vaild.npy is not read"]


def test_repeats_of_one_unit_may_leave_out_its_axis(tmp_path: Path) -> None:
    one = noise_recording("one", FRAMES, spikes=np.ones((FRAMES, 1), np.uint8), rates=None)
    write_recording(tmp_path / "one", one)
    np.save(tmp_path / "one" / "repeats.npy", np.ones((6, 40), np.uint8))
    repeats = read_recording(tmp_path / "one").repeats
    assert repeats is not None
    assert repeats.shape == (6, 40, 1)


def test_a_missing_or_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="no such folder"):
        read_recording(tmp_path / "nowhere")
    with pytest.raises(AblateError, match="the folder is empty"):
        read_recording(tmp_path)


def test_a_lying_header_takes_no_memory(folder: Path) -> None:
    data = (folder / "stimulus.npy").read_bytes()
    (folder / "stimulus.npy").write_bytes(data.replace(b"(200, 4, 5), }    ", b"(9999999, 4, 5), }"))
    with pytest.raises(AblateError, match="tells of 200000108 bytes"):
        read_recording(folder)


def test_a_faulty_recording_is_not_written_at_all(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="negative counts"):
        write_recording(tmp_path / "bad", noise_recording("bad", FRAMES, spikes=np.full((FRAMES, 3), -1)))
    assert list(tmp_path.iterdir()) == []


def test_a_recording_is_never_overwritten(folder: Path) -> None:
    with pytest.raises(AblateError, match="already exists"):
        write_recording(folder, noise_recording("rec", FRAMES))


def test_a_folder_of_recordings_a_glob_and_a_list_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        write_recording(tmp_path / name, noise_recording(name, FRAMES))
    whole = RecordingsConfig(path=str(tmp_path)).folders()
    assert [folder.name for folder in whole] == ["a", "b"]
    assert RecordingsConfig(path=str(tmp_path / "*")).folders() == whole
    assert RecordingsConfig(path=(str(tmp_path / "a"), str(tmp_path / "b"))).folders() == whole
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path))
    assert RecordingsConfig(path="b").folders() == whole[1:]
    assert RecordingsConfig(path=str(tmp_path), max_sessions=1).folders() == whole[:1]


@pytest.mark.parametrize("name", ["mouse[1]", "day [2024]", "what?", "a*b", "[a-z]"])
def test_a_folder_may_be_named_like_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write_recording(tmp_path / name / "rec", noise_recording("rec", FRAMES))
    for entry in (tmp_path / name, tmp_path / name / "rec"):
        assert RecordingsConfig(path=str(entry)).folders() == (tmp_path / name / "rec",)
        assert stamp_of([str(entry)])
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path))
    assert RecordingsConfig(path=name).folders() == (tmp_path / name / "rec",)


def test_no_recording_at_a_path_is_said() -> None:
    with pytest.raises(AblateError, match="no recording found at nowhere"):
        RecordingsConfig(path="nowhere").folders()
    with pytest.raises(AblateError, match="no recording is named"):
        RecordingsConfig().describe()


def test_headers_alone_describe_a_recording(folder: Path) -> None:
    spec = RecordingsConfig(path=str(folder), window=25, warmup=8).describe()
    (session,) = spec.sessions
    assert (session.height, session.width, session.units, session.behaviors) == (4, 5, 3, 2)
    assert spec.lags == (16, 8, 0)
    hidden = RecordingsConfig(path=str(folder), behavior="none").describe()
    assert hidden.sessions[0].behaviors == 0
