"""Takes jobs, gives outcomes: each a task of Ray's, here or on a cluster, owned by the command that began it."""
