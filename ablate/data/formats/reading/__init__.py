"""Takes arrays, clocks and tiers as labs store them, gives numbers, bins and splits, and tells what was inferred."""
