"""One run in, one record on disk; a study's folder in, its manifest and records out. Loads no torch."""
