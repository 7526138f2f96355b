"""Takes the cells of a study, gives what runs say beside the gain of each row: combinations, efficiency, repeats."""
