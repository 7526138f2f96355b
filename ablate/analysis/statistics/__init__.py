"""Takes scores by seed and by unit, gives intervals, p values, power: numbers in, numbers out, no study in sight."""
