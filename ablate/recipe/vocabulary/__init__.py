"""Takes a config class, gives what may be written for it, and says what was meant where something else was written."""
