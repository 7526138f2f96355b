"""Takes the frames of recordings, says which content comes again, and which bins answer to the same content."""
