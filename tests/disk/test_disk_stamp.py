"""A stamp changes with the files, and only with them."""

import os

from ablate.disk.stamp import stamp_of


def test_a_file_that_was_touched_added_removed_or_renamed_changes_the_stamp(tmp_path):
    (tmp_path / "a").mkdir()
    one = tmp_path / "a" / "one"
    one.write_text("1")
    seen = {stamp_of([str(tmp_path)])}
    assert seen == {stamp_of([str(tmp_path)])}
    assert len(seen.pop()) == 20

    def another() -> bool:
        stamp = stamp_of([str(tmp_path)])
        return len(seen) < len(seen | {stamp}) and not seen.add(stamp)

    assert another()
    os.utime(one, ns=(0, 1))
    assert another()
    one.write_text("12")
    os.utime(one, ns=(0, 1))
    assert another()
    (tmp_path / "a" / "two").touch()
    assert another()
    (tmp_path / "a" / "two").rename(tmp_path / "a" / "three")
    assert another()


def test_globs_files_and_folders_are_found_and_nothing_is_no_stamp(tmp_path):
    assert stamp_of([]) == ""
    assert stamp_of([str(tmp_path)]) == ""
    (tmp_path / "one.npy").write_text("1")
    assert stamp_of([str(tmp_path / "*.npy")]) == stamp_of([str(tmp_path / "one.npy")]) != ""
    assert stamp_of([str(tmp_path / "*.npy"), str(tmp_path / "absent")]) == ""
