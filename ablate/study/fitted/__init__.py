"""Takes a finished run, or what was exported of one, gives its model: rates of any stimulus, filters, receptive fields.

Import from the files: `named` and `card` load no torch.
"""
