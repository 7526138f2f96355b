"""Takes a study's folder, gives its manifest and its runs: each written whole or not at all, by one living process."""
