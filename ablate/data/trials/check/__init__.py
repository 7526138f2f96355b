"""Takes a table of trials, gives it back with what was found in each, or every fault at once."""
