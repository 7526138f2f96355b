"""Takes a finished run's folder, gives the numbers behind its model's pictures: readouts, kernels, rates, attention."""

from ablate.study.picture.collect import collect, main_runs
