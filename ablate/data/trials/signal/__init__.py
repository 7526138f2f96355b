"""Takes the EEG of a trial as recorded, gives it in the channels, rate and filters of the recipe."""
