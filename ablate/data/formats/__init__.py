"""Takes the files of other labs, unchanged, gives recordings of ours, and tells what was read, inferred and left."""
