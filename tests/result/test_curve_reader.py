"""A curve that grows in a file is read piece by piece: each row once, also where it is cut off or written anew."""

import json

from ablate.result.progress import CurveReader


def rows(*steps):
    return [{"step": step, "loss": 1 / step} for step in steps]


def text(*steps):
    return "".join(json.dumps(row) + "\n" for row in rows(*steps))


def test_each_row_is_given_once_and_none_before_its_line_ends(tmp_path):
    reader = CurveReader(tmp_path / "a.curve.jsonl")
    assert reader.more() == []
    reader.path.write_text(text(1, 2) + '{"step": 3, "lo')
    assert reader.more() == rows(1, 2)
    assert reader.more() == []
    reader.path.write_text(text(1, 2, 3, 4))
    assert reader.more() == rows(3, 4)
    reader.path.unlink()
    assert reader.more() == []


def test_a_curve_that_is_written_anew_gives_only_what_is_further(tmp_path):
    reader = CurveReader(tmp_path / "a.curve.jsonl")
    reader.path.write_text(text(1, 2, 3))
    assert reader.more() == rows(1, 2, 3)
    reader.path.write_text(text(1, 2))  # from a checkpoint
    assert reader.more() == []
    reader.path.write_text(text(1, 2, 3, 4))
    assert reader.more() == rows(4)


def test_a_longer_curve_whose_lines_lie_elsewhere_is_read_from_its_start(tmp_path):
    reader = CurveReader(tmp_path / "a.curve.jsonl")
    reader.path.write_text(text(1))
    assert reader.more() == rows(1)
    long = [{"step": step, "loss": "x" * 100} for step in (1, 2)]
    reader.path.write_text("".join(json.dumps(row) + "\n" for row in long))
    assert reader.more() == long[1:]


def test_a_damaged_curve_gives_nothing(tmp_path):
    reader = CurveReader(tmp_path / "a.curve.jsonl")
    for damage in ("no json\n", "[1, 2]\n", '{"loss": 1}\n'):
        reader.path.write_text(damage)
        assert reader.more() == []
