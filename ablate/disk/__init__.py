"""Takes bytes, gives files and folders that are whole or absent; locks, names, hashes, the cache. Knows no study."""
