"""Takes the options of one command, gives its exit code. One file a command, which imports its work when called."""
