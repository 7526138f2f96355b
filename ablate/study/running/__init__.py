"""Takes the runs that a study lacks, trains each with a worker, gives what became of every one of them."""
