"""Takes what a person types, gives text and an exit code. Prints and exits happen only here."""
