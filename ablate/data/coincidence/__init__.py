"""Takes a few knobs, gives EEG and video trials whose label is their coincidence; the ceiling is a closed form."""

from ablate.data.coincidence.config import CoincidenceConfig
