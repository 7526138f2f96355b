"""Takes a validated model configuration and the description of the data, gives a model that the loop can train."""
