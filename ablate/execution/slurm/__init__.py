"""Takes jobs, gives outcomes: one array of a SLURM cluster, submitted by submitit, watched by squeue, told by files."""
