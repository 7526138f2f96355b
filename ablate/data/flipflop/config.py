"""`flipflop`: an embedded fusion benchmark that separates temporal mixers, with known levels.

A marker frame A sets a lamp, B clears it (or each flips it: `toggle`); the lamp keeps its state through frames,
intervals and missing video. The EEG of each interval holds an evoked response or none; the label is the lamp at the
interval's end XOR the response. A model must carry one bit over the whole clip; one that sees only its own interval,
or no order, is at levels that are known exactly.
"""

import hashlib
import json
from typing import Literal

import torch

from ablate.config import non_default
from ablate.data.coincidence.ceiling import label_log_probability
from ablate.data.coincidence.draw import draw_eeg, made_split, split_random
from ablate.data.coincidence.frames import draw_frames
from ablate.data.flipflop.levels import levels
from ablate.data.flipflop.options import FlipflopOptions
from ablate.data.flipflop.story import tell
from ablate.data.trials.opened.dataset import TrialDataset
from ablate.data.trials.opened.split import TrialSplit

GENERATOR = 1  # raised when the same configuration would give other trials


class FlipflopConfig(FlipflopOptions):
    """EEG and video; the label is a lamp, which the video's markers set and clear, XOR the evoked response."""

    type: Literal["flipflop"] = "flipflop"

    def summary(self) -> str:
        known = levels(self)
        stated = f"full {known.full:.3f}, past as a bag {known.past_bag:.3f}, own interval {known.own:.3f}"
        return f"flipflop {self.title()}, accuracy levels: {stated}, one modality 0.500"

    def open(self, device: torch.device) -> TrialDataset:
        splits = {name: self._split(name) for name in self.counts}
        identity = json.dumps(["flipflop", GENERATOR, non_default(self)], sort_keys=True)
        fingerprint = hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
        return TrialDataset(splits, self.describe(), self, fingerprint=fingerprint, device=device)

    def _split(self, name: str) -> TrialSplit:
        rng = split_random(self, name)
        story = tell(self, name, self.counts[name], rng)
        eeg, llr = draw_eeg(self, story.response, rng)
        return made_split(
            name,
            self.subjects_of(name),
            eeg=eeg,
            frames=draw_frames(self, story.markers, story.mask, rng),
            frame_mask=story.mask,
            labels=story.label,
            truth=label_log_probability(llr, story.lamp, story.lamp >= 0, 0.0),
        )
