"""Takes trials of EEG and video (a folder of files), gives seeded batches and the labels they are scored on."""

from ablate.data.trials.recorded import TrialsConfig
