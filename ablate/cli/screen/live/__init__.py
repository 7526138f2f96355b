"""Takes how far a long piece of work is, shows it while it goes on: bars, the table so far, where each run stands."""
