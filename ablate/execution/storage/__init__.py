"""Takes an object store's URL, gives jobs whose nodes share nothing else: places and results are kept there."""
