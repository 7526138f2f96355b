"""Takes a few knobs, gives EEG and video trials whose label needs memory: a lamp that marker frames set and clear."""

from ablate.data.flipflop.config import FlipflopConfig
