"""One run in, one record on disk; a study's folder in, its manifest and records out. Loads no torch."""

from ablate.disk.digest import file_hash, text_hash
from ablate.result.environment import environment
from ablate.result.key import canonical_json, content_key
from ablate.result.manifest import Confirmation, Retuning, Schedule, StudyManifest, VariantEntry
from ablate.result.record import ModelCost, RunRecord, Score, SessionScore, Tokens, Usage
from ablate.result.store.folder import Damaged, Holder, Lock, RunWriter, Scan, Store

__all__ = [
    "Confirmation",
    "Damaged",
    "Holder",
    "Lock",
    "ModelCost",
    "Retuning",
    "RunRecord",
    "RunWriter",
    "Scan",
    "Schedule",
    "Score",
    "SessionScore",
    "Store",
    "StudyManifest",
    "Tokens",
    "Usage",
    "VariantEntry",
    "canonical_json",
    "content_key",
    "environment",
    "file_hash",
    "text_hash",
]
