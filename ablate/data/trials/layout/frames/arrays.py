"""Named arrays of .npz and .h5 files: their shapes without reading them, and their values."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.errors import AblateError

HDF5 = (".h5", ".hdf5")
PAGE = "docs/eeg.md lists the arrays of a trial"


def array_shape(file: Path, name: str) -> tuple[int, ...]:
    """Shape of one array from the file's header. Raises AblateError if it is not there."""
    if file.suffix in HDF5:
        return tuple(read_array(file, name).shape)
    try:
        with zipfile.ZipFile(file) as archive, archive.open(f"{name}.npy") as opened:
            version = np.lib.format.read_magic(opened)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return tuple(read(opened)[0])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return tuple(read_array(file, name).shape)  # says what is wrong


def read_array(file: Path, name: str, *, optional: bool = False) -> Any:  # None only where it is optional
    """One array of a file. Raises AblateError if the file is no such file, or (unless optional) has no such array."""
    try:
        found, names = _from_hdf5(file, name) if file.suffix in HDF5 else _from_npz(file, name)
    except ImportError as error:
        raise AblateError("reading HDF5 needs h5py", where=str(file), hint="pip install 'ablate[h5]'") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise AblateError(f"cannot be read: {error}", where=str(file), hint="an .npz or .h5 file") from error
    if found is None and not optional:
        has = f"it has {', '.join(names)}" if names else "it has none at all"
        raise AblateError(f"holds no array `{name}`; {has}", where=str(file), hint=PAGE)
    return found


def _from_npz(file: Path, name: str) -> tuple[np.ndarray | None, list[str]]:
    with file.open("rb") as bytes_of_file:
        opened = np.load(bytes_of_file, allow_pickle=False)
        if isinstance(opened, np.ndarray):
            raise AblateError(
                f"is a single array of shape {opened.shape}, not an .npz of named ones",
                where=str(file),
                hint=f"write it by np.savez(file, {name}=...); {PAGE}",
            )
        with opened:
            return opened.get(name), list(opened)


def _from_hdf5(file: Path, name: str) -> tuple[np.ndarray | None, list[str]]:
    import h5py

    with h5py.File(file) as opened:
        return (np.asarray(opened[name]) if isinstance(opened.get(name), h5py.Dataset) else None), list(opened)


def as_mask(stored: np.ndarray, frames: tuple[int, ...], where: str) -> NDArray[np.bool_]:
    """A frame_mask as bool. Raises AblateError unless it has the frames' shape and holds nothing but 0 and 1."""
    if stored.shape != frames or stored.dtype.kind not in "biuf" or not np.isin(stored, (0, 1)).all():
        what = f"frame_mask of shape {stored.shape} and type {stored.dtype} for frames {frames}"
        raise AblateError(what, where=where, hint="True where a frame is there, False where it is padding")
    return stored.astype(np.bool_)
