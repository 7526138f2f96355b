"""Takes the trials of a table, gives the split (train, validation, test) of each, of one fold or of all data."""
