"""Features of frozen frame encoders by content: takes keys of frames, gives what was computed before."""
