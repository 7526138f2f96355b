"""Takes recordings, says which bins train, validate and test."""

from ablate.data.encoding.split.blocks import TEST, TRAIN, UNUSED, VALIDATION, plan_blocks
from ablate.data.encoding.split.sessions import SessionSplit, split_sessions
