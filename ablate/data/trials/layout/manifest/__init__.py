"""Takes a folder's text files (manifest.csv, meta.yaml, ratings), gives their cells, each fault with its line."""
