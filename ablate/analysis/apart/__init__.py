"""Takes runs that stand apart from the study's own verdicts, gives what they say of these: fresh seeds of a choice."""
