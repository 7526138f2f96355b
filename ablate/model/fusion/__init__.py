"""Takes clips and EEG tokens of the same intervals, gives a model of both: its options, its video side, its heads."""
