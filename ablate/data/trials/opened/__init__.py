"""Takes trials and the split of each, gives seeded training batches and sweeps over what is scored."""
