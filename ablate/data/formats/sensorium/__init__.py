"""Takes scans of the Sensorium competitions (a .npy a trial and modality), gives recordings."""
