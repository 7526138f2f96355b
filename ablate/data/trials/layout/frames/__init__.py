"""Takes an array or a film, gives frames in one form and which of them are there."""
