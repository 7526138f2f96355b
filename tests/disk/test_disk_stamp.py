"""A stamp changes with the files, and only with them."""

import os

from ablate.disk.digest import known_file_hash
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


def test_a_glob_over_folders_of_any_depth_sees_all_of_them(tmp_path):
    """Only the first depth was looked at: a study was told as finished whose recording lay deeper, and had changed."""
    for folder in ("a/one", "a/b/two"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "spikes.npy").write_text("1")
    entries = [str(tmp_path / "**" / "[ot]*")]
    before = stamp_of(entries)
    (tmp_path / "a" / "b" / "two" / "spikes.npy").write_text("12")
    assert stamp_of(entries) != before != ""


def test_what_lies_under_the_second_root_is_seen_behind_a_folder_of_the_same_name(tmp_path, monkeypatch):
    """Recordings are found in $ABLATE_DATA where the folder here holds none; the one here was stamped, or nothing."""
    data, here = tmp_path / "data", tmp_path / "here"
    for folder in (data / "mouse", here / "mouse"):
        folder.mkdir(parents=True)
        (folder / "file").write_text("1")
    monkeypatch.chdir(here)
    monkeypatch.setenv("ABLATE_DATA", str(data))
    before = stamp_of(["mouse"])
    (data / "mouse" / "file").write_text("12")
    assert stamp_of(["mouse"]) != before
    (here / "mouse").rename(here / "cat")
    assert stamp_of(["mouse"])
    monkeypatch.setenv("HOME", str(data))
    assert stamp_of(["~/mouse"])


def test_a_file_that_was_exchanged_for_one_of_the_same_size_and_time_is_another(tmp_path):
    """As an archive gives it back whose files all have one time."""
    file, look = tmp_path / "file", []
    for content in "12":
        file.write_text(content)
        os.utime(file, ns=(0, 1))
        look.append((stamp_of([str(file)]), known_file_hash(file)))
    assert look[0][0] != look[1][0]
    assert look[0][1] != look[1][1]


def test_a_link_that_leads_nowhere_is_a_file_of_its_own(tmp_path):
    (tmp_path / "spikes.npy").write_text("1")
    before = stamp_of([str(tmp_path)])
    (tmp_path / "notes").symlink_to(tmp_path / "gone")
    assert stamp_of([str(tmp_path)]) != before
