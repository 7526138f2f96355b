"""Takes the options of a command about one fitted model, gives its exit code."""
