"""Takes a study's folder, gives its plan and its runs: each written whole or not at all, by one living process."""
