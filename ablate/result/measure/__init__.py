"""Takes labels and predictions, gives how they agree; and the measures that runs and recordings are kept by."""
