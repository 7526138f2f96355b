"""An NWB file, open: pynwb's object, without the warnings that its own old files cause."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.data.formats.reading.library import needed
from ablate.errors import AblateError

if TYPE_CHECKING:
    from hdmf.common import DynamicTable
    from pynwb import NWBFile, TimeSeries
    from pynwb.core import NWBContainer
else:  # an extra, imported when a file is read
    NWBFile = TimeSeries = DynamicTable = NWBContainer = object


@contextmanager
def opened(place: Path) -> Iterator[NWBFile]:
    """Raises AblateError for what is no NWB file, and where pynwb is not installed."""
    pynwb = needed("pynwb", "nwb")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cached schemas and old versions: nothing that a reader can change
        try:
            io = pynwb.NWBHDF5IO(str(place), "r", load_namespaces=True)
        except Exception as error:  # pynwb raises whatever h5py, hdmf and its own checks do
            raise _not_nwb(place, error) from error
        with io:
            try:
                file = io.read()
            except Exception as error:
                raise _not_nwb(place, error) from error
            yield file


def held(container: object, name: str) -> Any:  # the file itself is untyped
    """An entry of one of pynwb's objects; None where its type has no such entry, or the file says nothing there."""
    return getattr(container, name, None)  # each type of NWB has entries of its own


def _not_nwb(place: Path, error: Exception) -> AblateError:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return AblateError(f"is no NWB 2 file: {first}", where=str(place), hint="only HDF5 files of NWB 2 are read")
