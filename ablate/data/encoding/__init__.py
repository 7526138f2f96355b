"""Takes recordings, gives seeded batches of windows, and the bins that each split is trained and scored on."""
