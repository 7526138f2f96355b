"""Units named by a list in a file, or by their label in a table of units: used, counted by reason, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_samples import noise_recording

from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.data.recording import write_recording
from ablate.data.survey import survey
from ablate.errors import AblateError

SETTINGS: dict[str, Any] = {"window": 16, "warmup": 8, "score_every": 4, "min_spikes": 1}
UNITS = "name,quality\nada,good\nbea,mua\ncleo,good\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_recording(tmp_path / "rec", noise_recording(rates=None))
    return tmp_path / "rec"


def opened(folder: Path, **units: Any) -> EncodingDataset:
    config = RecordingsConfig(path=str(folder), units=units, **SETTINGS)
    return config.open(torch.device("cpu"))


def used(folder: Path, **units: Any) -> list[int]:
    return np.flatnonzero(~opened(folder, **units).not_asked[0]).tolist()


def test_a_list_of_numbers_is_read_from_every_kind_of_file(folder: Path) -> None:
    Path("keep.txt").write_text("# the stable ones\n2\n0   # dorsal\n")
    Path("keep.csv").write_text("unit,depth\n0,100\n2,250\n")
    Path("keep.tsv").write_text("unit\n2\n0\n")
    np.save("keep.npy", np.array([0, 2]))
    np.save("mask.npy", np.array([True, False, True]))
    for name in ("keep.txt", "keep.csv", "keep.tsv", "keep.npy", "mask.npy"):
        assert used(folder, file=name) == [0, 2], name


def test_a_list_of_names_is_looked_up_in_the_table_of_units(folder: Path) -> None:
    (folder / "units.csv").write_text(UNITS)
    Path("keep.txt").write_text("cleo\nada\n")
    np.save("keep.npy", np.array(["ada", "cleo"]))
    for name in ("keep.txt", "keep.npy"):
        assert used(folder, file=name) == [0, 2]
    (folder / "units.csv").unlink()
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n7\tgood\n12\tnoise\n40\tgood\n")
    Path("ids.csv").write_text("cluster_id\n12\n40\n")
    assert used(folder, file="ids.csv") == [1, 2]


def test_a_list_may_name_sessions_or_lie_beside_each_recording(folder: Path) -> None:
    write_recording(folder.parent / "two", noise_recording("two", seed=1, rates=None))
    Path("keep.csv").write_text("session,unit\nnoise,0\ntwo,1\ntwo,2\n")
    data = opened(folder.parent, file="keep.csv")
    assert [np.flatnonzero(~out).tolist() for out in data.not_asked] == [[0], [1, 2]]
    for name, text in (("rec", "1"), ("two", "0")):
        (folder.parent / name / "mine.txt").write_text(text)
    data = opened(folder.parent, file="mine.txt")
    assert [np.flatnonzero(~out).tolist() for out in data.not_asked] == [[1], [0]]


@pytest.mark.parametrize(
    ("name", "text", "column"),
    [
        ("units.csv", UNITS, None),
        ("units.tsv", UNITS.replace(",", "\t"), None),
        ("units.csv", "unit,quality\n2,good\n0,good\n1,mua\n", None),
        ("cluster_group.tsv", "cluster_id\tgroup\n7\tgood\n12\tmua\n40\tgood\n", None),
        ("cluster_KSLabel.tsv", "cluster_id\tKSLabel\n7\tgood\n12\tmua\n40\tgood\n", None),
        ("cluster_info.tsv", "cluster_id\tKSLabel\tgroup\n7\tgood\tmua\n12\tgood\tmua\n40\tgood\tgood\n", "group"),
    ],
)
def test_units_are_kept_by_their_label_and_the_others_counted_by_it(
    folder: Path, name: str, text: str, column: str | None
) -> None:
    (folder / name).write_text(text)
    data = opened(folder, quality=["good"], quality_column=column)
    mua = data.reasons[0].count("labelled mua (data.units.quality)")
    assert mua == (2 if column else 1)
    assert np.flatnonzero(~data.not_asked[0]).tolist() == ([2] if column else [0, 2])
    assert f"noise: of 3 units, {mua} labelled mua (data.units.quality)" in data.notices
    assert not any(name in notice for notice in data.notices), "it is read now"
    reasons = {unit.unit: unit.excluded for unit in survey(data).sessions[0].units}
    assert reasons[1] == "labelled mua (data.units.quality)"
    assert reasons[2] == ""


def test_a_table_that_nobody_asks_for_is_named_as_not_read(folder: Path) -> None:
    (folder / "units.csv").write_text(UNITS)
    assert "noise: not read: units.csv" in opened(folder).notices


def test_each_unit_has_the_first_reason_that_holds(folder: Path) -> None:
    (folder / "units.csv").write_text(UNITS)
    Path("keep.txt").write_text("0\n1\n")
    data = opened(folder, file="keep.txt", quality=["good"], min_rate_hz=1.0)
    assert data.reasons[0] == ("", "labelled mua (data.units.quality)", "not listed in keep.txt (data.units.file)")
    assert data.scored_units("test") == 1


def test_the_fingerprint_is_of_what_the_files_say_not_of_where_they_lie(folder: Path) -> None:
    for name, text in (("a.txt", "0\n2\n"), ("b.txt", "2\n0\n"), ("c.txt", "0\n1\n")):
        Path(name).write_text(text)
    a, b, c = (opened(folder, file=name).fingerprint for name in ("a.txt", "b.txt", "c.txt"))
    assert a == b != c
    (folder / "units.csv").write_text(UNITS)
    before = opened(folder, quality=["good"]).fingerprint
    (folder / "units.csv").write_text(UNITS.replace("mua", "good"))
    assert opened(folder, quality=["good"]).fingerprint != before


@pytest.mark.parametrize(
    ("units", "files", "message"),
    [
        ({"file": "none.txt"}, {}, "there is no list none.txt"),
        ({"file": "k.txt"}, {"k.txt": "0\n3\n"}, "k.txt lists unit 3, and noise has 3 units, numbered from 0"),
        ({"file": "k.txt"}, {"k.txt": "0\n0\n"}, "k.txt lists unit 0 twice"),
        ({"file": "k.txt"}, {"k.txt": "adda\n", "rec/units.csv": UNITS}, "did you mean `ada`?"),
        ({"file": "k.txt"}, {"k.txt": "ada\n"}, "lists units by `name`, which is not known of noise: it has no table"),
        ({"file": "k.txt"}, {"k.txt": ""}, "no unit of noise is left"),
        ({"file": "k.xls"}, {"k.xls": "0"}, "is none of .txt, .npy, .csv, .tsv"),
        ({"file": "k.csv"}, {"k.csv": "a,b\n0,1\n"}, "needs one column that tells the unit, and has a, b"),
        ({"file": "k.csv"}, {"k.csv": "session,unit\nother,0\n"}, "k.csv lists no unit of session noise"),
        ({"file": "k.npy"}, {"k.npy": "0"}, "is no numpy array"),
        ({"quality": ["good"]}, {}, "noise has no column `quality` of its units: none of units.csv, units.tsv"),
        ({"quality": ["godo"]}, {"rec/units.csv": UNITS}, r"did you mean `good`\? labels are good \(2\), mua \(1\)"),
        ({"quality": ["xy"]}, {"rec/units.csv": UNITS}, r"no unit is labelled `xy`"),
        ({"quality": ["good"]}, {"rec/units.csv": "quality\ngood\n"}, "units.csv has 1 rows, and spikes.npy 3 units"),
        (
            {"quality": ["good"]},
            {"rec/units.csv": "group,KSLabel\n" + "good,mua\n" * 3},
            "noise has labels in group and KSLabel",
        ),
        (
            {"quality": ["good"], "quality_column": "grup"},
            {"rec/units.csv": "group\n" + "good\n" * 3},
            "did you mean `group`?",
        ),
        (
            {"quality": ["good"]},
            {"rec/units.csv": UNITS, "rec/units.tsv": UNITS.replace(",", "\t").replace("mua", "good")},
            "column `quality` of units.tsv is not that of another table",
        ),
        (
            {"quality": ["good"]},
            {"rec/units.csv": "unit,quality\n0,good\n0,mua\n1,good\n"},
            "must be 0 to 2, each once",
        ),
        ({"quality": ["good"]}, {"rec/units.csv": "name,quality\nada\n" * 2}, "line 2 has another number of columns"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    folder: Path, units: dict[str, Any], files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (folder.parent / name).write_text(text)
    with pytest.raises(AblateError, match=message):
        opened(folder, **units)


def test_a_list_that_changed_is_read_again(folder: Path) -> None:
    Path("keep.txt").write_text("0\n")
    assert "keep.txt" in RecordingsConfig(path=str(folder), units={"file": "keep.txt"}).sources()
