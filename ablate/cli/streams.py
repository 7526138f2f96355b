"""Standard output and error that outlive their reader: a full disk, a closed pipe or another alphabet stops no study.

What could not be written is remembered, so that the program can say so at its end; a pipe whose reader has left
(`| head -1`) wanted no more and is no fault. A character that the stream's encoding lacks is written as its escape.
"""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STANDARD = (0, 1, 2)


class LastingFile(io.FileIO):
    """A file descriptor whose first fault is kept; whatever is written after it is dropped."""

    def __init__(self, descriptor: int):
        super().__init__(descriptor, "w", closefd=False)
        self.fault: OSError | None = None

    def write(self, data: "ReadableBuffer") -> int:
        if self.fault is None:
            try:
                return super().write(data)
            except OSError as fault:
                self.fault = fault
        return len(memoryview(data).cast("B"))


def make_streams_last() -> LastingFile:
    """Puts lasting streams in place of both standard ones; gives standard output's file, which knows its fault.

    A descriptor that the shell closed is first filled by the null device: the next file that is opened would take its
    number, and what is printed would end in that file.
    """
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout, out = _lasting(sys.stdout, 1)
    sys.stderr, _ = _lasting(sys.stderr, 2)
    return out


def write_fault(out: LastingFile) -> str:
    """Why not all of standard output was written; empty where it was, or where its reader left."""
    sys.stdout.flush()
    if out.fault is None or out.fault.errno in (errno.EPIPE, errno.EINVAL):  # Windows says EINVAL of a closed pipe
        return ""
    return out.fault.strerror or str(out.fault)


def _lasting(before: TextIO | None, descriptor: int) -> tuple[TextIO, LastingFile]:
    """A text stream over a descriptor. before: the stream that it replaces, None where the shell had closed it."""
    if before is not None:
        before.flush()
    file = LastingFile(descriptor)
    encoding = before.encoding if before is not None else "utf-8"
    lines = descriptor == 2 or file.isatty()
    text = io.TextIOWrapper(io.BufferedWriter(file), encoding=encoding, errors="backslashreplace", line_buffering=lines)
    return text, file
