"""A run's folder in, its record out, checked."""

import os

from pydantic import ValidationError

from ablate.disk.read import read_bytes
from ablate.errors import AblateError
from ablate.result.record import RunRecord
from ablate.result.store.fault import reason

FORMAT = 1
"""The format of records and manifests that this version writes and reads."""


def read_record(folder: str, key: str, kind: type[RunRecord] = RunRecord) -> RunRecord:
    """Raises AblateError when it is absent, damaged, of another format or of another run. folder: as text, since paths
    as objects take a part of the time of a report of ten thousand runs."""
    path = f"{folder}{os.sep}record.json"
    if os.path.islink(folder):
        raise AblateError("is a link, which is refused", where=folder)
    try:
        record = kind.model_validate_json(read_bytes(path))
    except (ValidationError, RecursionError) as error:
        raise AblateError(f"is damaged: {reason(error)}", where=path) from None
    if record.format != FORMAT:
        raise AblateError(f"has format {record.format}; this version reads {FORMAT}", where=path)
    if record.key != key:
        raise AblateError(f"is the record of another run ({record.key[:40]!r})", where=path)
    return record
