"""Frames of films (.mp4 and what else PyAV decodes), by the film's own timestamps. Needs the extra [video].

An interval is cut into `frames` equal slots of time, and the first frame of each slot is kept: never by counting
frames, since films drop and repeat them. Which slots hold a frame is known from the file's packets, without decoding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.layout.table import Frames, hash_of, hash_of_file
from ablate.disk.stamp import Look, look_of
from ablate.errors import AblateError

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer
else:  # an extra, imported when a film is read
    VideoFrame = VideoStream = InputContainer = object

REPAIR = "play it to the end to see whether it is whole, or leave the trial out"
READER = 2  # raised when the same film would give other pixels
Fit = Literal["crop", "stretch"]
SLACK = 1e-3  # seconds: containers round times to their own clock


@dataclass(frozen=True)
class FilmStyle:
    """How films are read. frames: an interval's slots. size: rows and columns of a picture. fit: the shorter side is
    scaled to `size` and the middle of the longer one kept (crop), or both sides are scaled to it (stretch)."""

    frames: int
    size: int
    fit: Fit = "crop"


@dataclass(frozen=True)
class Stretch:
    """The part of a film that one trial shows. start: seconds in the film; intervals of interval_s seconds follow."""

    file: Path
    start: float
    intervals: int
    interval_s: float

    def slots(self, times: NDArray[np.floating], frames: int) -> NDArray[np.int64]:
        """The slot (interval * frames + slot) of each time in the film; -1 outside the stretch."""
        place = np.floor((times - self.start + SLACK) * frames / self.interval_s).astype(np.int64)
        return np.where((place >= 0) & (place < self.intervals * frames), place, -1)

    def content(self) -> bytes:
        """Hash of the film's bytes and of which part of it is shown."""
        return hash_of(hash_of_file(self.file), self.start, self.intervals, self.interval_s)


def read_mask(stretch: Stretch, style: FilmStyle) -> NDArray[np.bool_]:
    """Which slots hold a frame (i, f), from the packets' times alone."""
    mask = np.zeros(stretch.intervals * style.frames, dtype=np.bool_)
    slots = stretch.slots(_packet_times(stretch.file), style.frames)
    mask[slots[slots >= 0]] = True
    return mask.reshape(stretch.intervals, style.frames)


def slot_keys(stretch: Stretch, style: FilmStyle) -> NDArray[np.uint64]:
    """What names the picture of each slot (i, f, 2): 128 bits of the film's bytes, the stretch, the style and the slot.
    Nothing is decoded."""
    shape = (stretch.intervals, style.frames)
    of_all = hash_of(READER, stretch.content(), style)
    digests = b"".join(hash_of(of_all, slot) for slot in range(shape[0] * shape[1]))
    return np.frombuffer(digests, dtype="<u8").reshape(*shape, 2)


def read_frames(stretch: Stretch, style: FilmStyle) -> Frames:
    """The first frame of each slot (i, f, h, w, 3) uint8, and which slots hold one (i, f)."""
    shown = np.zeros((stretch.intervals * style.frames, style.size, style.size, 3), dtype=np.uint8)
    mask = np.zeros(len(shown), dtype=np.bool_)
    end = stretch.start + stretch.intervals * stretch.interval_s
    for frame in _decoded(stretch.file, stretch.start):
        if frame.time is None:
            continue
        if frame.time >= end - SLACK:
            break
        slot = int(stretch.slots(np.array([frame.time]), style.frames)[0])
        if frame.rotation % 90:
            what = f"its pictures are turned by {frame.rotation} degrees"
            raise AblateError(
                what, where=str(stretch.file), hint="only quarter turns are undone; write it anew, upright"
            )
        if slot >= 0 and not mask[slot]:
            shown[slot], mask[slot] = _picture(frame, style), True
    shape = (stretch.intervals, style.frames)
    promised = read_mask(stretch, style)
    if (mask.reshape(shape) != promised).any():
        missing = float(stretch.start + np.flatnonzero(mask != promised.ravel())[0] * stretch.interval_s / style.frames)
        raise AblateError(f"the frame at {missing:.2f} s cannot be decoded", where=str(stretch.file), hint=REPAIR)
    return shown.reshape(*shape, style.size, style.size, 3), mask.reshape(shape)


def _picture(frame: VideoFrame, style: FilmStyle) -> NDArray[np.uint8]:
    """(size, size, 3) of a frame of any shape; bicubic, the aspect ratio kept where it is cropped."""
    width, height = style.size, style.size
    if style.fit == "crop":
        scale = style.size / min(frame.width, frame.height)
        width, height = max(style.size, round(frame.width * scale)), max(style.size, round(frame.height * scale))
    small = frame.reformat(width=width, height=height, format="rgb24", interpolation="BICUBIC").to_ndarray()
    top, left = (height - style.size) // 2, (width - style.size) // 2
    square = small[top : top + style.size, left : left + style.size]
    return np.ascontiguousarray(np.rot90(square, frame.rotation // 90), dtype=np.uint8)  # cameras film on their side


def _decoded(file: Path, start: float) -> Iterator[VideoFrame]:
    """The film's frames from the last key frame before `start` on, in the order in which they are shown."""
    av = _pyav(file)
    try:
        with av.open(str(file)) as film:
            stream = _pictures(film, file)
            stream.thread_type = "NONE"  # frames come in the same order and number everywhere
            if start > 0 and stream.time_base is not None:
                film.seek(max(0, int(start / stream.time_base)), stream=stream)
            yield from film.decode(stream)
    except (OSError, ValueError, IndexError, av.FFmpegError) as error:
        raise _unreadable(file, error) from error


def _packet_times(file: Path) -> NDArray[np.float64]:
    """When each frame of the film is shown, seconds."""
    return _times_of(file, look_of(file))


@lru_cache(maxsize=512)
def _times_of(file: Path, look: Look) -> NDArray[np.float64]:
    av = _pyav(file)
    try:
        with av.open(str(file)) as film:
            stream = _pictures(film, file)
            packets = [packet for packet in film.demux(stream) if packet.size]
            if len(packets) < stream.frames or any(packet.is_corrupt for packet in packets):
                what = f"is cut off: {len(packets)} of its {stream.frames or 'many'} frames are there"
                raise AblateError(what, where=str(file), hint=REPAIR)
            ticks = [packet.pts for packet in packets if packet.pts is not None]
            return np.sort(np.array(ticks, dtype=np.float64) * float(stream.time_base or 1))
    except (OSError, ValueError, IndexError, av.FFmpegError) as error:
        raise _unreadable(file, error) from error


def _pictures(film: InputContainer, file: Path) -> VideoStream:
    """The first video stream. Raises AblateError for a file of sound alone."""
    if not film.streams.video:
        raise AblateError("holds no video", where=str(file), hint="is it the sound of the film, or another file?")
    return film.streams.video[0]


def _unreadable(file: Path, error: Exception) -> AblateError:
    return AblateError(f"cannot be decoded: {error}", where=str(file), hint=REPAIR)


def _pyav(file: Path) -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise AblateError("reading films needs PyAV", where=str(file), hint="pip install 'ablate[video]'") from error
    return av
