"""Films as cameras, screens and broken disks leave them, in every layout that reads films: mne, eav, seed_dv."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trial_folders import eav, mne_folder, opened, said, seed_dv

from ablate.data import TrialsConfig

av = pytest.importorskip("av")
FRAMES = 5
EMOTIONS = ("Neutral", "Sadness", "Anger", "Happiness", "Calmness")


def write(file: Path, times: Sequence[float], picture: np.ndarray | None = None) -> list[int]:
    """A film whose frames are shown at these times (s), one grey each; gives the greys. picture: in their place."""
    greys = [(53 * index) % 251 for index in range(len(times))]
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for grey, at in zip(greys, times, strict=True):
            shown = np.full((32, 64, 3), grey, np.uint8) if picture is None else picture
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts, frame.time_base = round(1000 * at), Fraction(1, 1000)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return greys


@dataclass(frozen=True)
class Planted:
    """A folder, one of its films, the seconds of it that a trial shows (from, how many), and that trial."""

    folder: Path
    film: Path
    layout: str
    start: float
    seconds: float
    trial: str

    @property
    def options(self) -> dict[str, Any]:
        return {"layout": self.layout, "frames": FRAMES, "image_size": 16}

    def row(self) -> Any:
        rows = TrialsConfig(path=str(self.folder), **self.options).read_table().rows
        return next(row for row in rows if row.trial_id == self.trial)


def of_mne(folder: Path) -> Planted:
    pytest.importorskip("mne")
    mne_folder(folder)
    return Planted(folder, folder / "film.mp4", "mne", 4.0, 4.0, "s0_t1")


def of_eav(folder: Path) -> Planted:
    eav(folder)
    (folder / "subject1" / "EEG" / "subject1_features.npz").unlink()
    films = [
        folder / "subject1" / "Video" / f"{n + 1:03d}_Trial_{n + 1:02d}_Listening_{EMOTIONS[n % 5]}.mp4"
        for n in range(20)
    ]
    for film in films:
        write(film, np.arange(40) / 10)
    return Planted(folder, films[3], "eav", 0.0, 4.0, "subject1_trial003")


def of_seed_dv(folder: Path) -> Planted:
    seed_dv(folder)
    (folder / "features.npy").unlink()
    films = [folder / "Video" / f"{name}_10min.mp4" for name in ("1st", "2nd")]
    for film in films:
        write(film, np.arange(4 * 52) / 4)
    return Planted(folder, films[1], "seed_dv", 13.0 + 3.0, 10.0, "sub2_block1_place01")


@pytest.fixture(params=[of_mne, of_eav, of_seed_dv], ids=["mne", "eav", "seed_dv"])
def planted(request: pytest.FixtureRequest, tmp_path: Path) -> Planted:
    return request.param(tmp_path)


@pytest.mark.parametrize("late", [0.0, 0.83], ids=["from zero", "with an offset"])
def test_frames_of_variable_rate_go_where_their_times_say(planted: Planted, late: float) -> None:
    gaps = np.random.default_rng(0).uniform(0.02, 0.6, 400)
    times = late + np.round(np.cumsum(gaps) - gaps[0], 3)
    greys = write(planted.film, times)
    expected, slot_s = {}, 2.0 / FRAMES
    for grey, at in zip(greys, times, strict=True):  # the first frame of each slot of 0.4 s
        slot = int((round(1000 * (at - planted.start)) + 1e-9) // round(1000 * slot_s))
        if 0 <= at - planted.start < planted.seconds:
            expected.setdefault(slot, grey)
    frames, mask = planted.row().frames()
    assert np.array_equal(planted.row().mask(), mask)
    assert np.flatnonzero(mask.ravel()).tolist() == sorted(expected)
    assert 0 < mask.sum() < mask.size
    seen = frames.reshape(-1, 16, 16, 3)[mask.ravel()].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(seen, [expected[slot] for slot in sorted(expected)], atol=6)


@pytest.mark.parametrize(("turn", "bright"), [(0, "right"), (90, "bottom"), (180, "left"), (270, "top")])
def test_a_film_on_its_side_is_shown_upright(planted: Planted, turn: int, bright: str) -> None:
    """Born of a fault: what a phone films upright lies on its side in the file, and models were given that."""
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, 32:] = 240
    write(planted.film, np.arange(4 * 52) / 4, picture)
    content = bytearray(planted.film.read_bytes())
    matrix = content.index(b"tkhd") + 44  # of ISO 14496-12, 8.3.2: how the track is turned clockwise to be shown
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turn]
    content[matrix : matrix + 36] = struct.pack(">9i", a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0, 1 << 30)
    planted.film.write_bytes(content)
    frame = planted.row().frames()[0][0, 0].mean(axis=2)
    halves = {"right": frame[:, 9:], "left": frame[:, :7], "top": frame[:7], "bottom": frame[9:]}
    assert max(halves, key=lambda side: halves[side].mean()) == bright
    assert halves[bright].mean() > 200


def sound(film: Path) -> None:
    with av.open(str(film), "w") as target:
        stream = target.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)


def cut(film: Path, share: float) -> None:
    content = film.read_bytes()
    film.write_bytes(content[: int(share * len(content))])


def whole(film: Path) -> None:
    rng = np.random.default_rng(0)  # noise is long in the file, so that a cut lies among the frames
    write(film, np.arange(4 * 52) / 4, rng.integers(0, 256, (32, 64, 3), dtype=np.uint8))


FAULTS = [
    ("sound alone", sound, "holds no video"),
    ("cut in the middle", lambda film: (whole(film), cut(film, 0.6)), "is cut off"),
    ("cut near the end", lambda film: (whole(film), cut(film, 0.995)), "is cut off"),
    ("cut at once", lambda film: (whole(film), cut(film, 0.02)), "holds no video"),
    ("empty", lambda film: film.write_bytes(b""), "cannot be decoded"),
    ("text", lambda film: film.write_bytes(b"no film at all" * 50), "cannot be decoded"),
]


@pytest.mark.parametrize(("plant", "what"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_a_broken_film_is_named_before_anything_is_trained(planted: Planted, plant: Any, what: str) -> None:
    plant(planted.film)
    told = said(planted.folder, **planted.options)
    assert f"{planted.film.relative_to(planted.folder)}: {what}" in told


def test_a_film_that_is_missing_is_refused_or_counted(planted: Planted) -> None:
    """eav knows trials without film; a manifest that names one, and a block of SEED-DV, need theirs."""
    planted.film.unlink()
    if planted.layout == "eav":
        told = "2 of 40 intervals have no frame (5 %): 1 of 20 trials have none at all, 1 of them name no video"
        assert told in opened(planted.folder, **planted.options).notices
        assert not planted.row().frames()[1].any()
    else:
        expected = {"mne": "there is no file film.mp4", "seed_dv": "missing: 2nd_10min.mp4"}[planted.layout]
        assert expected in said(planted.folder, **planted.options)
