"""Takes a recording and bins of it, gives windows of its rows as tensors, normalised by training statistics."""
