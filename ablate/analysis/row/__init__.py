"""Takes a variant's runs beside the baseline's, gives its row: gain, gap, cost, breakdown, verdict and rank."""
