"""The tiers of a lab's trials (train, oracle, final_test_main, ...) as a split that `split: {kind: file}` reads."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int8

from ablate.data.formats.reading.story import Story

TRAIN, VALIDATION, TEST, NONE = 0, 1, 2, -1
SPLITS = {"train": TRAIN, "training": TRAIN, "validation": VALIDATION, "val": VALIDATION, "oracle": VALIDATION}
"""An oracle tier is what the Sensorium competitions stop and select by."""
TESTS = "test"
"""Part of the name of every tier that is only scored: test, live_test_main, final_test_bonus."""


def split_of(tiers: Sequence[str], story: Story, what: str) -> Int8[np.ndarray, " n"] | None:
    """A label a trial, as in split.npy; None where no tier is known. what: the word for what has tiers."""
    labels = np.array([_label(tier) for tier in tiers], np.int8)
    told = ", ".join(f"{count} {tier}" for tier, count in Counter(tiers).items())
    if (labels == NONE).all():
        story.inferred.append(f"tiers of the {what} ({told}) tell no split")
        return None
    story.inferred.append(
        f"tiers of the {what} ({told}) do not decide the split, unless `split: {{kind: file}}` asks for it: "
        "what shares content goes together"
    )
    unknown = sorted({tier for tier in tiers if _label(tier) == NONE})
    if unknown:
        story.inferred.append(f"tiers that are in no split of the lab's own: {', '.join(unknown)}")
    return labels


def _label(tier: str) -> int:
    name = tier.strip().casefold()
    return SPLITS.get(name, TEST if TESTS in name else NONE)
