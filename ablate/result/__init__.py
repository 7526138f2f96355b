"""One run in, one record on disk; a study's folder in, its manifest and records out. Loads no torch."""

from ablate.result.environment import environment
from ablate.result.key import canonical_json, content_key
from ablate.result.manifest import Confirmation, Retuning, Schedule, StudyManifest, VariantEntry
from ablate.result.record import ModelCost, RunRecord, Score, SessionScore
from ablate.result.store.folder import Store
