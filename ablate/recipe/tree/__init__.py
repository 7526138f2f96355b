"""Takes YAML text, gives a tree of plain values that know the line they were written on, and lays one over another."""
