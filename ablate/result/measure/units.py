"""`units.json` of a run: `{"metric": ..., "sessions": [{"name": ..., "entry": [...], "value": [...], ...}, ...]}`."""

from collections.abc import Mapping, Sequence

from ablate.disk.read import Json


def unit_tables(content: object) -> Sequence[Json]:
    """The table of each session; none where the file is missing or holds no such thing."""
    sessions = content.get("sessions") if isinstance(content, Mapping) else None
    return sessions if isinstance(sessions, list) else ()
