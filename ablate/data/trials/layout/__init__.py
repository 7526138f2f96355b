"""Takes a folder as some lab lays it out, gives a table of trials that are read when they are asked for."""
